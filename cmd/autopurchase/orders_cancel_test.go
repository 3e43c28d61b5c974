package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// TestOrdersCancel: a request that waits is cancelled, and one that was bought is not; a dry run changes nothing.
func TestOrdersCancel(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	nats := h.where["nats"]
	publishFile(t, nats, "acme", onePiece(t, "bought.1")).accepted(1)
	reach(t, nats, "acme", 1)
	mustDisable(t, nats, h.appKeys...)
	for i := range 3 {
		publishFile(t, nats, "acme", onePiece(t, fmt.Sprint("waits.", i))).accepted(1)
	}
	list := filepath.Join(t.TempDir(), "refs.txt")
	must(t, os.WriteFile(list, []byte("# what was ordered twice\nacme/waits.1\nacme.waits=2E2-1\n\nacme/waits.1\n"), 0o600))
	cancel := func(args ...string) (int, string, string) {
		return execute(t, nil, append([]string{"orders", "cancel", "--by", "li", "--why", "twice", "--nats", nats}, args...)...)
	}
	code, out, errs := cancel("--from", list, "--dry-run", "acme/bought.1", "acme/never")
	if code != exitFailed || !strings.Contains(out, "acme/waits.1  cancelled: was not sent\n") || !strings.Contains(out, "acme/bought.1  too late: it is placed as order ") ||
		!strings.Contains(out, "acme/never  failed: invalid: request_id: names no request") || errs != "nothing was changed; it would be: 2 cancelled, 1 failed, 1 too late\n" {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	code, out, errs = cancel("--from", list, "--yes", "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != exitOK || len(lines) != 2 || errs != "2 cancelled\n" {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	for _, line := range lines {
		var answer bus.CancelledRequest
		must(t, json.Unmarshal([]byte(line), &answer))
		mustFit(t, "order-cancelled", []byte(line))
		if !answer.Cancelled || answer.Outcome != "cancelled" || answer.Orders[0].Reason != "cancelled by li: twice" {
			t.Errorf("%s", line)
		}
	}
	if code, out, _ := cancel("acme/waits.0"); code != exitOK || out != "acme/waits.0  cancelled: cancelled by li: twice\n" {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out, _ := cancel("acme/bought.1"); code != exitFailed || !strings.HasPrefix(out, "acme/bought.1  too late: it is placed as order ") {
		t.Errorf("exit %d: %s", code, out)
	}
	// it asks again once the order is old enough
	if code, out, _ := cancel("acme/bought.1", "--at-1688", "--json"); code != exitOK || !strings.Contains(out, `"reason":"closed at 1688"`) {
		t.Errorf("exit %d: %s", code, out)
	} else {
		mustFit(t, "order-cancelled", []byte(out))
	}
	if deed := lastDeed(t, nats); deed.What != worker.DeedClosed || deed.RequestID != "bought.1" || deed.By != "li" || deed.Why != "twice" {
		t.Errorf("%+v", deed)
	}
	if _, out, _ := execute(t, nil, "orders", "show", "acme/bought.1", "--nats", nats); !strings.Contains(out, "closed at 1688: ") || !strings.Contains(out, "; twice, by li") {
		t.Errorf("its life does not say who closed it: %s", out)
	}
	reach(t, nats, "acme", 4)
	retry := func(args ...string) (int, string, string) {
		return execute(t, nil, append([]string{"orders", "retry", "--by", "li", "--nats", nats}, args...)...)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for picked := ""; !strings.HasSuffix(picked, "it would be: 3 asked again\n"); { // once the index has them
		if code, _, picked = retry("--state", "cancelled", "--dry-run"); code != exitOK || ctx.Err() != nil {
			t.Fatalf("exit %d: %s", code, picked)
		}
	}
	if code, out, errs := retry("acme.waits=2E2-1", "acme/waits.1", "--yes"); code != exitOK || !strings.Contains(out, "acme/waits.1  asked again: as acme/waits.1.r1, 1 lines\n") || errs != "2 asked again\n" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, _ := retry("acme/bought.1"); code != exitFailed || !strings.Contains(out, "is placed: nothing is left to ask for") {
		t.Errorf("exit %d: %s", code, out)
	}
	stopped(t, h.up)
}

// lastDeed is what the record says last of what was done to requests.
func lastDeed(t *testing.T, url string) (deed worker.Deed) {
	t.Helper()
	conn, err := nats.Connect(url)
	must(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	must(t, err)
	stream, err := js.Stream(t.Context(), bus.StreamJournal)
	must(t, err)
	msg, err := stream.GetLastMsgForSubject(t.Context(), "purchase.journal.>")
	must(t, err)
	mustFit(t, "deed", msg.Data)
	must(t, json.Unmarshal(msg.Data, &deed))
	return deed
}

// mustDisable takes keys out of use.
func mustDisable(t *testing.T, nats string, appKeys ...string) {
	t.Helper()
	for _, appKey := range appKeys {
		if code, _, errs := execute(t, nil, "keys", "disable", appKey, "--by", "li", "--nats", nats); code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
}
