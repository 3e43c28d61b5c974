package bus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit bounds every wait of a test.
const limit = 20 * time.Second

// alarms collects what a bus raised.
type alarms struct {
	mutex sync.Mutex
	texts []string
}

func (a *alarms) add(text string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.texts = append(a.texts, text)
}

func (a *alarms) list() []string {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return slices.Clone(a.texts)
}

// bounded is a context that ends with the test, at the latest after the limit.
func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func connect(t testing.TB, config Config) *Bus {
	t.Helper()
	config.Log = zerolog.Nop()
	b, err := Connect(bounded(t), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// provisioned is a bus on a server of its own, with all streams.
func provisioned(t testing.TB, config Config) (*Bus, *workertest.NATSServer) {
	t.Helper()
	server := workertest.NATS(t)
	config.URL = server.URL
	b := connect(t, config)
	must(t, b.Provision(bounded(t)))
	return b, server
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openInbox(t testing.TB, b *Bus) *Inbox {
	t.Helper()
	in, err := b.Inbox(bounded(t))
	must(t, err)
	return in
}

// requestBody is a request that the schema takes.
func requestBody(id string, quantity int) []byte {
	return fmt.Appendf(nil, `{"request_id":%q,"deliver_to":{"address_id":"1"},"lines":[{"offer_id":"700000000001","quantity":%d}]}`, id, quantity)
}

func submit(t testing.TB, b *Bus, ids ...string) {
	t.Helper()
	for _, id := range ids {
		receipt, err := b.Submit(bounded(t), "acme", id, requestBody(id, 1))
		if err != nil || receipt.Fate != Accepted {
			t.Fatalf("submit %s: %+v, %v", id, receipt, err)
		}
	}
}

func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("PR-%04d", i)
	}
	return ids
}

// next takes a request and is not coming for another one.
func next(t testing.TB, in *Inbox) worker.Delivery {
	t.Helper()
	ctx, leave := context.WithCancel(bounded(t))
	defer leave()
	return nextUnder(ctx, t, in)
}

func nextUnder(ctx context.Context, t testing.TB, in *Inbox) worker.Delivery {
	t.Helper()
	d, err := in.Next(ctx)
	must(t, err)
	return *d
}

// consumerInfo is the broker's view of the workers' consumer. A connection that was just lost may not know of it yet: it is asked
// again as long as it has no answer.
func consumerInfo(t testing.TB, b *Bus) *jetstream.ConsumerInfo {
	t.Helper()
	var info *jetstream.ConsumerInfo
	retried(t, func() error {
		consumer, err := b.js.Consumer(bounded(t), StreamRequests, ConsumerWorker)
		if err == nil {
			info = consumer.CachedInfo()
		}
		return err
	})
	return info
}

// retried does something until it succeeds, or the broker has answered that it does not.
func retried(t testing.TB, do func() error) {
	t.Helper()
	var err error
	until(t, "an answer of the broker", func() bool {
		err = do()
		return err == nil || refused(err)
	})
	must(t, err)
}

// until asks again and again whether something has come true.
func until(t testing.TB, what string, true_ func() bool) {
	t.Helper()
	ctx := bounded(t)
	for !true_() {
		if !wait(ctx, 5*time.Millisecond) {
			t.Fatalf("%s did not come true within %v", what, limit)
		}
	}
}

// stored is how many messages a stream holds.
func stored(t testing.TB, b *Bus, stream string) uint64 {
	t.Helper()
	var n uint64
	retried(t, func() error {
		s, err := b.js.Stream(bounded(t), stream)
		if err == nil {
			n = s.CachedInfo().State.Msgs
		}
		return err
	})
	return n
}

// newServer starts a server and gives its URL.
func newServer(t testing.TB) string {
	t.Helper()
	return workertest.NATS(t).URL
}

// receive takes a value from a channel within the limit.
func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(limit):
		t.Fatal("nothing came within the limit")
		panic("not reached")
	}
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

func contains(text []byte, part string) bool { return strings.Contains(string(text), part) }
