package bus

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"
)

// TestWatchIsNotMisledByWhatIsStored: a publisher may write any header into its message, also those by which a server tells
// where a message is, or that there is none.
func TestWatchIsNotMisledByWhatIsStored(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	messages, errs := watching(t, b, WatchOptions{Streams: []string{StreamRequests}})
	for i, header := range []nats.Header{
		{"Status": {"204"}}, {"Status": {"404"}, "Description": {"Message Not Found"}}, {"Status": {"503"}}, {"Nats-Sequence": {"1000000"}},
		{"Nats-Subject": {"purchase.request.victim.x"}, "Nats-Time-Stamp": {"never"}}, {"Nats-Stream": {StreamResults}},
	} {
		subject := fmt.Sprintf("purchase.request.acme.%d", i)
		_, err := b.js.PublishMsg(bounded(t), &nats.Msg{Subject: subject, Header: header})
		must(t, err)
		select {
		case m := <-messages:
			if m.Subject != subject || m.Sequence != uint64(i+1) || m.Stream != StreamRequests {
				t.Errorf("%v: %+v", header, m)
			}
		case err := <-errs:
			t.Fatalf("%v: %v", header, err)
		case <-bounded(t).Done():
			t.Fatalf("%v: nothing came", header)
		}
		if last, err := b.last(bounded(t), StreamRequests, subject); err != nil || last == nil || last.Sequence != uint64(i+1) {
			t.Errorf("%v: the last is %+v, %v", header, last, err)
		}
	}
}

// TestWatchGoesOnWithAStreamThatWasMadeAnew: all that is in it is news.
func TestWatchGoesOnWithAStreamThatWasMadeAnew(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	submit(t, b, numbered(5)...)
	messages, errs := watching(t, b, WatchOptions{Streams: []string{StreamRequests}})
	must(t, b.js.DeleteStream(bounded(t), StreamRequests))
	must(t, b.Provision(bounded(t)))
	submit(t, b, "NEW-1", "NEW-2")
	for want := uint64(1); want <= 2; want++ {
		select {
		case m := <-messages:
			if m.Sequence != want {
				t.Errorf("%+v, want number %d", m, want)
			}
		case err := <-errs:
			t.Fatal(err)
		case <-bounded(t).Done():
			t.Fatal("nothing came")
		}
	}
}

// TestWatchPicksBySubject: each pattern is read on its own.
func TestWatchPicksBySubject(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	messages, _ := watching(t, b, WatchOptions{Subjects: []string{"purchase.request.acme.PR-1", "purchase.request.acme.PR-3"}})
	submit(t, b, "PR-0", "PR-1", "PR-2", "PR-3")
	if one, two := receive(t, messages).Sequence, receive(t, messages).Sequence; min(one, two) != 2 || max(one, two) != 4 {
		t.Errorf("%d and %d, want 2 and 4", one, two)
	}
}
