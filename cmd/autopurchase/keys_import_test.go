package main

import (
	"encoding/json"
	"strings"
	"testing"

	"autopurchase/internal/bus"
)

// TestKeysImport: the columns stand in an order of their own, and each bad line is told with its number and stops no other.
func TestKeysImport(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	file := write(t, "keys.csv", []byte("\ufefflimit, account ,app_key,alipay,source,pool\r\n"+
		"500,buyer-1,1000001,business,managed,\r\n"+ // 2
		"\r\n"+
		",\"buyer, 2\",1000002,,,spare\r\n"+ // 4
		"many,buyer-1,1000003,,,\r\n"+
		"5,\"buyer,1000004,,,\r\n"+ // a quote that is never closed
		"5,buyer-1,1000005\r\n"+
		"5,buyer-1,10.6,,,\r\n"+
		"5,buyer-1,1000001,,,\r\n"+ // 9: the first one again
		"5,buyer-1,1000001,,,spare\r\n"+ // 10: in another pool
		"5,\xc2\xd2,1000007,,,\r\n"+
		"5,buyer-1,1000008,gold,,")) // 12: the file ends here
	code, out, errs := execute(t, nil, "keys", "import", file, "--json", "--by", "li", "--nats", nats)
	var told []imported
	for line := range strings.Lines(out) {
		var one imported
		must(t, json.Unmarshal([]byte(line), &one))
		told = append(told, one)
	}
	want := []imported{
		{Line: 2, AppKey: "1000001", Status: "added", State: "active"},
		{Line: 4, AppKey: "1000002", Status: "added", State: "active"},
		{Line: 5, AppKey: "1000003", Status: "invalid", Reason: "limit: must be a whole number"},
		{Line: 6, Status: "invalid", Reason: "cannot be read as CSV"},
		{Line: 7, Status: "invalid", Reason: "has 3 fields, and the header 6"},
		{Line: 8, AppKey: "10.6", Status: "refused", Code: "invalid", Reason: "app_key: must be 1 to 64"},
		{Line: 9, AppKey: "1000001", Status: "invalid", Reason: "app_key: is on line 2 already"},
		{Line: 10, AppKey: "1000001", Status: "added", State: "ready"},
		{Line: 11, Status: "invalid", Reason: "is not valid UTF-8"},
		{Line: 12, AppKey: "1000008", Status: "refused", Code: "invalid", Reason: "alipay: must be none, personal or business"},
	}
	if code != exitFailed || len(told) != len(want) {
		t.Fatalf("exit %d, %s%s", code, out, errs)
	}
	for i, got := range told {
		if !strings.HasPrefix(got.Reason, want[i].Reason) || want[i].Reason == "" && got.Reason != "" {
			t.Errorf("%+v, want %+v", got, want[i])
		}
		if got.Reason = want[i].Reason; got != want[i] {
			t.Errorf("%+v, want %+v", got, want[i])
		}
	}
	if !strings.Contains(errs, "added: 10 of 10") || !strings.Contains(errs, "7 of 10 were not added") {
		t.Error(errs)
	}
	if keys := listKeys(t, nats); len(keys) != 1 || keys[0].Limit != 500 || keys[0].Account != "buyer-1" || keys[0].Alipay != "business" || keys[0].Source != "managed" {
		t.Errorf("%+v", keys)
	}
	if keys := listKeys(t, nats, "--pool", "spare"); len(keys) != 2 || keys[0].Limit != 1000 || keys[0].Account != "buyer, 2" || keys[1].Limit != 5 {
		t.Errorf("%+v", keys)
	}
}

// TestKeysImportAgain changes nothing, and says so by the exit code of what went well.
func TestKeysImportAgain(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	a := newAdmin(t, nats)
	file := write(t, "keys.csv", []byte("app_key\n1000001\n1000002\n"))
	var before []bus.KeyInfo
	for i, events := 0, uint64(0); i < 2; i++ {
		code, out, errs := execute(t, nil, "keys", "import", file, "--nats", nats)
		if code != exitOK || out != "line 2: 1000001 added\nline 3: 1000002 added\n" || !strings.Contains(errs, "2 added") {
			t.Errorf("exit %d, %s%s", code, out, errs)
		}
		_, now := a.last("added")
		after := listKeys(t, nats)
		if i == 1 && (now != events || len(after) != 2 || after[0] != before[0] || after[1] != before[1]) {
			t.Errorf("%d events more, %+v after %+v", now-events, after, before)
		}
		events, before = now, after
	}
}

func TestFilesThatAreNoListsOfKeys(t *testing.T) {
	t.Parallel()
	for text, say := range map[string]string{
		"":                                  "has no header",
		"\n\n":                              "has no header",
		"1000001,500\n":                     `line 1: column "1000001" is none of app_key`,
		"limit\n5\n":                        `column "app_key" is missing`,
		"app_key,secret\n1000001,x\n":       `column "secret" is none of`,
		"app_key,limit,limit\n1000001,5,5":  `column "limit" is there twice`,
		"app_key,\"limit\n1000001,5\n":      "line 1: cannot be read as CSV",
		"app_key;limit\n1000001;5\n":        `column "app_key;limit" is none of`,
		strings.Repeat("x", maxLine) + "\n": "",
	} {
		code, out, errs := execute(t, nil, "keys", "import", write(t, "keys.csv", []byte(text)))
		if code != exitUsage || out != "" || !strings.Contains(errs, say) {
			t.Errorf("%.40q: exit %d, %s%.300s", text, code, out, errs)
		}
	}
}
