package schemas

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestAsyncAPI(t *testing.T) {
	document := loadAsyncAPI(t)
	if document["asyncapi"] != "3.0.0" {
		t.Errorf("version is %v", document["asyncapi"])
	}
	refs := 0
	walk(document, func(at string, node map[string]any) {
		ref, ok := node["$ref"].(string)
		if !ok {
			return
		}
		refs++
		if local, found := strings.CutPrefix(ref, "#/"); found {
			if !resolves(document, local) {
				t.Errorf("%s: %s leads nowhere", at, ref)
			}
			return
		}
		name := strings.TrimSuffix(strings.TrimPrefix(ref, "./"), suffix)
		if !slices.Contains(Names(), name) {
			t.Errorf("%s: %s is not a schema", at, ref)
			return
		}
		compile(t, name)
	})
	if refs < 50 {
		t.Errorf("only %d references", refs)
	}
}

func TestAsyncAPIHasEverySubject(t *testing.T) {
	channels, _ := loadAsyncAPI(t)["channels"].(map[string]any)
	var addresses []string
	for _, channel := range channels {
		if address, ok := channel.(map[string]any)["address"].(string); ok {
			addresses = append(addresses, address)
		}
	}
	for _, want := range []string{
		"purchase.request.{tenant}.{ref}", "purchase.request-high.{tenant}.{ref}", "purchase.request-low.{tenant}.{ref}.{replay}", "purchase.result.{tenant}.{ref}", "purchase.result.{tenant}.{ref}.{code}",
		"purchase.status.{tenant}.{ref}", "purchase.stray.{appKey}.{event}", "purchase.dead.{tenant}", "purchase.parked.{tenant}.{ref}", "purchase.alarm.{kind}.{what}",
		"keypool.event.{pool}.{kind}", "purchase.queue.status", "purchase.queue.status.{instance}", "purchase.queue.instance.{instance}",
		"keypool.admin.add", "keypool.admin.list", "keypool.admin.pool", "keypool.admin.show",
		"keypool.admin.limit", "keypool.admin.seal", "keypool.admin.enable", "keypool.admin.disable", "keypool.admin.bench", "keypool.admin.restore",
		"keypool.admin.retire", "keypool.admin.remove", "keypool.admin.reset", "keypool.admin.rotate", "keypool.admin.probe",
		"keypool.admin.statement", "keypool.admin.forecast",
		"keypool.admin.onboard", "keypool.admin.authorize",
		"purchase.admin.list", "purchase.admin.show",
		"purchase.admin.parked", "purchase.admin.resolve", "purchase.admin.cancel", "purchase.admin.retry", "purchase.request.{tenant}.{ref}.{replay}", "purchase.journal.{tenant}.{ref}", "purchase.journal.=order.{order}", "purchase.choice.{tenant}.{ref}", "purchase.merge.{tenant}.{ref}", "purchase.admin.bind", "purchase.admin.unbind", "purchase.admin.import",
		"purchase.payment.{tenant}.{ref}.{order}", "purchase.till.day.{account}.{day}", "purchase.till.switch", "purchase.unpaid.{tenant}.{ref}.{order}",
		"purchase.admin.pay.stop", "purchase.admin.pay.start", "purchase.admin.pay.agree", "purchase.admin.pay.link", "purchase.admin.pay.unpaid",
		"purchase.admin.dead-list", "purchase.admin.dead-show", "purchase.admin.dead-replay", "purchase.admin.dead-drop",
	} {
		if !slices.Contains(addresses, want) {
			t.Errorf("%s is missing", want)
		}
	}
}

func loadAsyncAPI(t *testing.T) map[string]any {
	t.Helper()
	text, err := FS.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func resolves(document map[string]any, pointer string) bool {
	var node any = document
	for step := range strings.SplitSeq(pointer, "/") {
		branch, ok := node.(map[string]any)
		if !ok {
			return false
		}
		if node, ok = branch[step]; !ok {
			return false
		}
	}
	return true
}
