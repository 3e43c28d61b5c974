package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// indexing runs an index part on a bus until stop is called.
func indexing(t *testing.T, b *bus.Bus, path string) (p *indexPart, stop func()) {
	t.Helper()
	return indexingTo(t, b, path, zerolog.Nop())
}

func indexingTo(t *testing.T, b *bus.Bus, path string, log zerolog.Logger) (p *indexPart, stop func()) {
	t.Helper()
	var undo cleanup
	p, err := newIndexPart(t.Context(), b, path, log, &undo)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.run(ctx) }()
	stop = func() {
		cancel()
		<-done
		must(t, undo.run(time.Second))
	}
	return p, stop
}

// shows waits until the index shows these requests, the newest first.
func (p *indexPart) shows(t *testing.T, filter worker.Filter, want ...string) []worker.Summary {
	t.Helper()
	for {
		listing, err := p.List(t.Context(), filter, worker.Page{})
		must(t, err)
		var got []string
		for _, r := range listing.Requests {
			got = append(got, fmt.Sprintf("%s %s", r.RequestID, r.State))
		}
		if slices.Equal(got, want) {
			return listing.Requests
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func asksFor(t *testing.T, b *bus.Bus, id string) {
	t.Helper()
	body := schemas.AppendRequest(nil, worker.Request{ID: id, Pool: "default", Flow: "general", Pay: "none", DeliverTo: worker.Address{AddressID: "1"},
		Lines: []worker.Line{{OfferID: "701", Quantity: 1, Seller: "hill"}}})
	receipt, err := b.Submit(t.Context(), "acme", id, body)
	if err != nil || receipt.Fate != bus.Accepted {
		t.Fatalf("%+v, %v", receipt, err)
	}
}

func endsAs(t *testing.T, b *bus.Bus, id string, outcome worker.Outcome, code worker.Code) {
	t.Helper()
	must(t, b.Outbox().Publish(t.Context(), worker.Result{Tenant: "acme", RequestID: id, Outcome: outcome, Code: code, Attempt: 1, DecidedAt: time.Now()}))
}

// TestAnIndexFollowsTheStreams: live, behind where it stopped, into a file that is gone, and over streams that were made anew.
func TestAnIndexFollowsTheStreams(t *testing.T) {
	t.Parallel()
	server := workertest.NATS(t)
	b := connect(t, server.URL)
	must(t, b.Provision(t.Context()))
	path := filepath.Join(t.TempDir(), "index.db")
	asksFor(t, b, "PR-1")
	p, stop := indexing(t, b, path)
	p.shows(t, worker.Filter{}, "PR-1 waiting")
	asksFor(t, b, "PR-2")
	endsAs(t, b, "PR-1", worker.OutcomeRefused, worker.CodeOutOfStock)
	p.shows(t, worker.Filter{Seller: "hill"}, "PR-2 waiting", "PR-1 refused")
	stop()

	asksFor(t, b, "PR-3")
	endsAs(t, b, "PR-2", worker.OutcomeCancelled, worker.CodeDeadline)
	p, stop = indexing(t, b, path)
	grown := p.shows(t, worker.Filter{}, "PR-3 waiting", "PR-2 cancelled", "PR-1 refused")
	stop()

	p, stop = indexing(t, b, filepath.Join(t.TempDir(), "again.db"))
	if rebuilt := p.shows(t, worker.Filter{}, "PR-3 waiting", "PR-2 cancelled", "PR-1 refused"); fmt.Sprint(rebuilt) != fmt.Sprint(grown) {
		t.Errorf("rebuilt\n%v\ngrown\n%v", rebuilt, grown)
	}
	stop()

	remakeStream(t, server.URL, b)
	asksFor(t, b, "PR-4")
	p, stop = indexing(t, b, path)
	p.shows(t, worker.Filter{States: []worker.LifeState{worker.LifeWaiting}}, "PR-4 waiting")
	p.shows(t, worker.Filter{Text: "PR-3"})
	remakeStream(t, server.URL, b)
	asksFor(t, b, "PR-5")
	p.shows(t, worker.Filter{States: []worker.LifeState{worker.LifeWaiting}}, "PR-5 waiting")
	stop()
}

// remakeStream loses all requests.
func remakeStream(t *testing.T, url string, b *bus.Bus) {
	t.Helper()
	conn, err := nats.Connect(url)
	must(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	must(t, err)
	must(t, js.DeleteStream(t.Context(), bus.StreamRequests))
	must(t, b.Provision(t.Context()))
}

// TestAnIndexForgets what every stream has dropped, finds what was dead-lettered by the reason, and does not begin again because a
// person removed the latest letter.
func TestAnIndexForgets(t *testing.T) {
	t.Parallel()
	server := workertest.NATS(t)
	b := connect(t, server.URL)
	must(t, b.Provision(t.Context()))
	path := filepath.Join(t.TempDir(), "index.db")
	asksFor(t, b, "PR-1")
	asksFor(t, b, "PR-2")
	endsAs(t, b, "PR-1", worker.OutcomeRefused, worker.CodeOutOfStock)
	must(t, b.Outbox().Bury(t.Context(), worker.DeadLetter{Tenant: "acme", Subject: "purchase.request.acme.PR-2", Sequence: 2, Code: worker.CodeInvalid, Reason: "quantity: not a number", At: time.Now()}))
	p, stop := indexing(t, b, path)
	p.shows(t, worker.Filter{}, "PR-2 waiting", "PR-1 refused")
	p.shows(t, worker.Filter{Text: "not a number"}, "PR-2 waiting")
	stop()

	conn, err := nats.Connect(server.URL)
	must(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	must(t, err)
	drop := func(stream string, sequence uint64) {
		t.Helper()
		s, err := js.Stream(t.Context(), stream)
		must(t, err)
		must(t, s.DeleteMsg(t.Context(), sequence))
	}
	var said bytes.Buffer
	drop(bus.StreamDead, 1)
	drop(bus.StreamRequests, 1)
	p, stop = indexingTo(t, b, path, zerolog.New(&said))
	asksFor(t, b, "PR-3")
	endsAs(t, b, "PR-3", worker.OutcomeCancelled, worker.CodeDeadline)
	p.shows(t, worker.Filter{}, "PR-3 cancelled", "PR-2 waiting", "PR-1 refused")
	stop()
	drop(bus.StreamResults, 1)
	p, stop = indexingTo(t, b, path, zerolog.New(&said))
	p.shows(t, worker.Filter{}, "PR-3 cancelled", "PR-2 waiting")
	stop()
	if strings.Contains(said.String(), "made anew") || !strings.Contains(said.String(), "forgot") {
		t.Errorf("it said\n%s", said.String())
	}
}
