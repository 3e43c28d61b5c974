package workertest_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/workertest"
)

// TestClaimsOutliveWhatIsOnRecord: a letter may be replayed on its last day and be delivered on the last one of its new request.
func TestClaimsOutliveWhatIsOnRecord(t *testing.T) {
	t.Parallel()
	server := workertest.NATS(t)
	b, err := bus.Connect(t.Context(), bus.Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if err := b.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	age := func(name string) time.Duration {
		stream, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return stream.CachedInfo().Config.MaxAge
	}
	for _, record := range []string{bus.StreamResults, bus.StreamDead, bus.StreamParked} {
		if last := age(bus.StreamRequests) + age(record); age(record) == 0 || keypool.ClaimsKept <= last {
			t.Errorf("a claim is kept for %v, and what %s leads to for %v", keypool.ClaimsKept, record, last)
		}
	}
}
