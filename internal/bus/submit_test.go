package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// sameMeaning is requestBody with its fields in another order and blanks between them.
func sameMeaning(id string, quantity int) []byte {
	return fmt.Appendf(nil, `{ "lines": [{"quantity":%d,"offer_id":"700000000001","spec_id":""}], "deliver_to":{"address_id":"1"}, "request_id":%q }`, quantity, id)
}

func TestSubmitTellsReplayFromConflict(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	first, err := b.Submit(bounded(t), "acme", "PR.1", requestBody("PR.1", 2))
	if err != nil || first.Fate != Accepted {
		t.Fatalf("%+v, %v", first, err)
	}
	check := func(when string) {
		for name, c := range map[string]struct {
			tenant string
			body   []byte
			fate   Fate
		}{
			"the same bytes":   {"acme", requestBody("PR.1", 2), Replay},
			"the same meaning": {"acme", sameMeaning("PR.1", 2), Replay},
			"another quantity": {"acme", requestBody("PR.1", 200), Conflict},
			"not readable":     {"acme", []byte("{"), Conflict},
		} {
			got, err := b.Submit(bounded(t), c.tenant, "PR.1", c.body)
			if err != nil || got.Fate != c.fate || got.Sequence != first.Sequence {
				t.Errorf("%s, %s: %+v, %v, want %s", when, name, got, err, c.fate)
			}
		}
	}
	check("at once")
	server.Restart()
	until(t, "the connection is back", func() bool { return b.Ready(t.Context()) == nil })
	check("after a restart")
	if got, err := b.Submit(bounded(t), "other", "PR.1", requestBody("PR.1", 2)); err != nil || got.Fate != Accepted {
		t.Errorf("another tenant's: %+v, %v", got, err)
	}
	if n := stored(t, b, StreamRequests); n != 2 {
		t.Errorf("%d requests stored, want 2", n)
	}
}

// TestOurOwnRepeatIsAccepted plays a lost acknowledgement: the very same submission is sent again.
func TestOurOwnRepeatIsAccepted(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	msg, err := b.submission("acme", "PR-1", "", requestBody("PR-1", 2))
	must(t, err)
	for range 2 {
		if got, err := b.submit(bounded(t), msg); err != nil || got.Fate != Accepted || got.Sequence != 1 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	stream, err := b.js.Stream(bounded(t), StreamRequests)
	must(t, err)
	kept, err := stream.GetMsg(bounded(t), 1)
	must(t, err)
	full := &jetstream.APIError{Code: 503, ErrorCode: codeStreamFull}
	if got, err := b.judge(bounded(t), msg, nil, full); err != nil || got.Fate != Accepted || got.Sequence != kept.Sequence {
		t.Errorf("after the broker forgot the message id: %+v, %v", got, err)
	}
}

func TestManyPublishersOneRequest(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	var mutex sync.Mutex
	fates := map[Fate]int{}
	var publishers sync.WaitGroup
	for range 16 {
		publishers.Go(func() {
			got, err := b.Submit(bounded(t), "acme", "PR-1", requestBody("PR-1", 2))
			if err != nil {
				t.Error(err)
			}
			mutex.Lock()
			fates[got.Fate]++
			mutex.Unlock()
		})
	}
	publishers.Wait()
	if fates[Accepted] != 1 || fates[Replay] != 15 {
		t.Errorf("%v", fates)
	}
}

func TestSubmitRefuses(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	for _, c := range []struct{ tenant, id, names string }{
		{"", "PR-1", "tenant"}, {"a.b", "PR-1", "tenant"}, {"*", "PR-1", "tenant"},
		{"acme", "", "request_id"}, {"acme", "a b", "request_id"}, {"acme", strings.Repeat("x", 65), "request_id"},
	} {
		if _, err := b.Submit(bounded(t), c.tenant, c.id, []byte("{}")); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%q %q: %v", c.tenant, c.id, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Submit(ended, "acme", "PR-1", []byte("{}")); !errors.Is(err, ErrNotStored) || !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestAFullStreamIsNoConflict(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	stream, err := b.js.Stream(bounded(t), StreamRequests)
	must(t, err)
	config := stream.CachedInfo().Config
	config.MaxMsgs = 1
	_, err = b.js.UpdateStream(bounded(t), config)
	must(t, err)
	submit(t, b, "PR-1")
	ctx, cancel := context.WithTimeout(t.Context(), attemptTimeout/4)
	defer cancel()
	if got, err := b.Submit(ctx, "acme", "PR-2", requestBody("PR-2", 1)); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestSubmitAllOverARestart submits a few thousand while the server restarts; each is stored once and told once, in order.
func TestSubmitAllOverARestart(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	submit(t, b, "PR-0007")
	ids := numbered(2000)
	middle := make(chan struct{})
	feed := func(yield func(Submission) bool) {
		for i, id := range append(ids, "not valid") {
			if i == 1000 {
				close(middle)
			}
			if !yield(Submission{ID: id, Body: requestBody(id, 1)}) {
				return
			}
		}
	}
	var told []Outcome
	done := make(chan error)
	go func() {
		done <- b.SubmitAll(bounded(t), "acme", feed, func(o Outcome) { told = append(told, o) })
	}()
	receive(t, middle)
	server.Restart()
	must(t, receive(t, done))
	if len(told) != 2001 || told[2000].Err == nil {
		t.Fatalf("%d told", len(told))
	}
	for i, id := range ids {
		want := Accepted
		if id == "PR-0007" {
			want = Replay
		}
		if o := told[i]; o.ID != id || o.Err != nil || o.Receipt.Fate != want {
			t.Errorf("%d: %s %+v %v", i, o.ID, o.Receipt, o.Err)
		}
	}
	if n := stored(t, b, StreamRequests); n != 2000 {
		t.Errorf("%d stored", n)
	}
}

func TestSubmitAllEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	endless := func(yield func(Submission) bool) {
		for i := 0; ; i++ {
			id := fmt.Sprint("PR-", i)
			if !yield(Submission{ID: id, Body: requestBody(id, 1)}) {
				return
			}
		}
	}
	n := 0
	err := b.SubmitAll(ctx, "acme", endless, func(Outcome) {
		if n++; n == 10 {
			cancel(cause)
		}
	})
	if !errors.Is(err, cause) {
		t.Errorf("ended with %v", err)
	}
}
