package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/nats-io/nats.go"

	"autopurchase/worker"
)

// TestTheDashboardInABrowser does what a purchasing clerk does, in a real browser on the whole system: looks, searches, sees a
// purchase arrive, reads its life, handles a dead letter again, switches a key off. It keeps pictures of each page.
func TestTheDashboardInABrowser(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	h.buy("acme", 12, 12)
	token, err := os.ReadFile(filepath.Join(h.dir, adminTokenFile))
	must(t, err)
	b := newTab(t, h.where["http"])

	b.open("/")
	b.sees("in use")
	b.sees("in use")
	b.judge("overview")

	b.open("/requests")
	b.sees("acme.0")
	publishFile(t, h.where["nats"], "acme", onePiece(t, "fresh-one")).accepted(1)
	b.sees("fresh-one") // it comes by itself
	b.click("a", "fresh-one")
	b.sees("What happened")
	b.sees("ordered")
	b.judge("request")

	b.open("/requests")
	b.fill(`input[name="text"]`, "fresh")
	b.click("button", "Search")
	b.sees("1 request")
	if text := b.text(); strings.Contains(text, "acme.0") || !strings.Contains(text, "fresh-one") {
		t.Errorf("searched for fresh:\n%s", text)
	}

	b.open("/login?next=/keys")
	b.judge("login")
	b.fill("#name", "Li Wei")
	b.fill("#token", string(token))
	b.click("button", "Log in")
	b.sees("Li Wei")
	b.judge("keys")
	b.click("a", h.appKeys[1])
	b.judge("key")
	b.click("a", "Switch off")
	b.fill("#field-why", "its owner asked")
	b.judge("confirm")
	b.click("button", "Switch off")
	b.sees("switched off")
	if event, _ := newAdmin(t, h.where["nats"]).last(worker.EventDisabled); event.AppKey != h.appKeys[1] || event.By != "Li Wei" || event.Why != "its owner asked" {
		t.Errorf("%+v", event)
	}

	b.open("/dead")
	poison(t, h.where["nats"], "acme", "bad-one")
	b.sees("bad-one")
	b.judge("dead")
	b.do(chromedp.Click(`input[name="pick"]`))
	b.click("button", "Handle those picked again")
	b.click("button", "Handle again")
	b.sees("Done for 1 of 1 dead letters")
	b.open("/requests")
	b.judge("requests")
	b.open("/workers")
	b.sees("Workers and relays")
	b.sees("working")
	b.judge("workers")
	for _, appKey := range h.appKeys[:1] {
		keyCommands{t, h.where["nats"]}.key("bench", appKey)
	}
	publishFile(t, h.where["nats"], "acme", onePiece(t, "stuck-one")).accepted(1)
	b.open("/")
	b.sees("Standing still")
	b.sees("What to do:")
	b.judge("standing-still")

	b.open("/requests?state=waiting")
	b.sees("stuck-one")
	b.click("a", "Cancel all that are found")
	b.sees("1 request: 1 waiting.")
	b.judge("count")
	b.click("button", "Cancel")
	b.sees("1 of 1 done")
	b.sees("That is all.")
	b.judge("bulk")
	b.click("a", "Back to the list")
	b.sees("No request is like that")

	b.open("/keys/default/" + h.appKeys[1] + "?steps=show")
	b.sees("Go without it")
	b.judge("checklist")
	b.click("a", "It is done")
	b.fill("#field-why", "seen on the page")
	b.click("button", "It is done")
	b.sees("steps are open")
	b.sees("By Li Wei")
	b.clean()
	stopped(t, h.up)
}

// poison publishes what no worker can take, in the name of a request.
func poison(t *testing.T, url, tenant, id string) {
	t.Helper()
	conn, err := nats.Connect(url)
	must(t, err)
	defer conn.Close()
	js, err := conn.JetStream()
	must(t, err)
	_, err = js.Publish("purchase.request."+tenant+"."+id, []byte(`{"request_id":"`+id+`","lines":[]}`))
	must(t, err)
}
