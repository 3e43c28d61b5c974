package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// ids reads requests and gives their ids.
func ids(t *testing.T, requests iter.Seq2[worker.Request, error]) (ids []string) {
	t.Helper()
	for request, err := range requests {
		must(t, err)
		ids = append(ids, request.ID)
	}
	return ids
}

// wantUnderWay checks both halves of what is not finished.
func wantUnderWay(t *testing.T, b *Bus, delivered, waiting []string) {
	t.Helper()
	if got := ids(t, b.History().Delivered(bounded(t))); !slices.Equal(got, delivered) {
		t.Errorf("delivered %q, want %q", got, delivered)
	}
	if got := ids(t, b.History().Waiting(bounded(t))); !slices.Equal(got, waiting) {
		t.Errorf("waiting %q, want %q", got, waiting)
	}
}

// TestDeliveredIsEverythingBehindTheFloor: a request that was acknowledged before one in front of it is told too, since the
// consumer does not say which ones are missing. Too many are looked up then, and never one too few.
func TestDeliveredIsEverythingBehindTheFloor(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	wantUnderWay(t, b, nil, nil)
	in := openInbox(t, b)
	_, err := b.js.Publish(bounded(t), requestSubject("", "acme", "PR-0"), []byte("{")) // nothing is ever bought for it
	must(t, err)
	submit(t, b, "PR-1", "PR-2", "PR-3", "PR-4", "PR-5")
	wantUnderWay(t, b, nil, []string{"PR-1", "PR-2", "PR-3", "PR-4", "PR-5"})
	var taken []worker.Delivery
	for range 4 {
		taken = append(taken, next(t, in))
	}
	wantUnderWay(t, b, []string{"PR-1", "PR-2", "PR-3"}, []string{"PR-4", "PR-5"})
	must(t, taken[0].Receipt.Ack(bounded(t)))
	must(t, taken[2].Receipt.Ack(bounded(t)))
	wantUnderWay(t, b, []string{"PR-1", "PR-2", "PR-3"}, []string{"PR-4", "PR-5"})
	must(t, taken[1].Receipt.Ack(bounded(t)))
	must(t, taken[3].Receipt.Nak(bounded(t), time.Hour))
	wantUnderWay(t, b, []string{"PR-3"}, []string{"PR-4", "PR-5"})
	must(t, b.js.DeleteConsumer(bounded(t), StreamRequests, ConsumerWorker))
	for _, err := range b.History().Delivered(bounded(t)) {
		if !errors.Is(err, jetstream.ErrConsumerNotFound) {
			t.Errorf("without a consumer: %v", err)
		}
	}
	next(t, in) // it makes the consumer again
	submit(t, b, "PR-6")
	wantUnderWay(t, b, []string{"PR-1", "PR-2", "PR-3", "PR-4", "PR-5"}, []string{"PR-6"}) // the one before may have delivered them
}

// TestABrokerThatWasKilledMayHaveForgottenDeliveries: of what was stored before, as long as it has not had the time to hear of them
// again.
func TestABrokerThatWasKilledMayHaveForgottenDeliveries(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	in := openInbox(t, b)
	before := numbered(forgettable + 2)
	submit(t, b, before...)
	first := ids(t, b.History().Waiting(bounded(t)))
	wantUnderWay(t, b, nil, first)
	next(t, in)
	wantUnderWay(t, b, first[:1], first[1:])
	connected := b.connected.Load()
	server.Restart()
	until(t, "the connection is back", func() bool { return b.connected.Load() != connected })
	submit(t, b, "after")
	wantUnderWay(t, b, first[:forgettable+1], append(first[forgettable+1:], "after"))
	b.config.Stopped = true
	wantUnderWay(t, b, first[:1], append(first[1:], "after"))
	b.config.Stopped = false
	b.connected.Add(-int64(forgottenFor))
	wantUnderWay(t, b, first[:1], append(first[1:], "after"))
}

// results reads all results and gives the request ids.
func results(t *testing.T, b *Bus, each func(read int)) (ids []string) {
	t.Helper()
	for result, err := range b.History().Results(bounded(t), "default") {
		must(t, err)
		ids = append(ids, result.RequestID)
		each(len(ids))
	}
	return ids
}

func publishResults(t *testing.T, b *Bus, n int) {
	t.Helper()
	for i := range n {
		must(t, b.Outbox().Publish(bounded(t), placed(fmt.Sprintf("PR-%04d", i), fmt.Sprint(i))))
	}
}

// TestResultsThatAreGoneFailNoReading: they aged away, were pushed out by a limit, or were purged before it, at a moment in
// which it begins anew because the broker restarts, or in front of its eyes.
func TestResultsThatAreGoneFailNoReading(t *testing.T) {
	t.Parallel()
	const n = 3 * followBatch
	purge := func(t *testing.T, b *Bus, options ...jetstream.StreamPurgeOpt) {
		stream, err := b.js.Stream(bounded(t), StreamResults)
		must(t, err)
		must(t, stream.Purge(bounded(t), options...))
	}
	limited := func(t *testing.T, b *Bus, change func(*jetstream.StreamConfig)) {
		stream, err := b.js.Stream(bounded(t), StreamResults)
		must(t, err)
		config := stream.CachedInfo().Config
		change(&config)
		_, err = b.js.UpdateStream(bounded(t), config)
		must(t, err)
	}
	for name, c := range map[string]struct {
		before, at5 func(t *testing.T, b *Bus, restart func())
		atLeast     int
		last        bool // is read
	}{
		"a limit": {atLeast: 100, last: true, before: func(t *testing.T, b *Bus, _ func()) {
			limited(t, b, func(c *jetstream.StreamConfig) { c.MaxMsgs = 100 })
		}},
		"all too old": {before: func(t *testing.T, b *Bus, _ func()) {
			limited(t, b, func(c *jetstream.StreamConfig) { c.MaxAge, c.Duplicates = 100*time.Millisecond, 100*time.Millisecond })
			until(t, "the last result aged away", func() bool { return stored(t, b, StreamResults) == 0 })
		}},
		"the next ones, and the broker restarts": {atLeast: 100, last: true, at5: func(t *testing.T, b *Bus, restart func()) {
			purge(t, b, jetstream.WithPurgeKeep(100))
			restart()
		}},
		"the last one": {atLeast: 5, at5: func(t *testing.T, b *Bus, _ func()) {
			purge(t, b, jetstream.WithPurgeSubject(resultSubject("acme", fmt.Sprintf("PR-%04d", n-1))))
		}},
		"all that were still to come": {atLeast: 5, at5: func(t *testing.T, b *Bus, restart func()) { purge(t, b); restart() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, server := provisioned(t, Config{})
			publishResults(t, b, n)
			restart := func() {
				server.Restart()
				until(t, "the connection is back", func() bool { return b.Ready(t.Context()) == nil })
			}
			if c.before != nil {
				c.before(t, b, restart)
			}
			got := results(t, b, func(read int) {
				if read == 5 && c.at5 != nil {
					c.at5(t, b, restart)
				}
			})
			if !slices.IsSorted(got) || len(slices.Compact(got)) != len(got) || len(got) < c.atLeast || c.atLeast == 0 && len(got) > 0 ||
				slices.Contains(got, fmt.Sprintf("PR-%04d", n-1)) != c.last && c.atLeast > 5 {
				t.Errorf("%d results, want at least %d", len(got), c.atLeast)
			}
			if n, err := b.History().Stored(bounded(t)); err != nil || uint64(n) != stored(t, b, StreamResults) {
				t.Errorf("%d are on record, %v", n, err)
			}
		})
	}
}

// TestAReadingThatIsCutShortSaysSo: whoever took half the record for all of it would count too little.
func TestAReadingThatIsCutShortSaysSo(t *testing.T) {
	t.Parallel()
	const n = 3 * followBatch
	for name, cut := range map[string]func(b *Bus, cancel func()){
		"the bus is closed": func(b *Bus, _ func()) { b.close() },
		"its context ends":  func(_ *Bus, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := provisioned(t, Config{})
			publishResults(t, b, n)
			submit(t, b, numbered(n)...)
			for reading, read := range map[string]func(context.Context) iter.Seq[error]{
				"results": func(ctx context.Context) iter.Seq[error] { return errorsOf(b.History().Results(ctx, "default")) },
				"waiting": func(ctx context.Context) iter.Seq[error] { return errorsOf(b.History().Waiting(ctx)) },
			} {
				ctx, cancel := context.WithCancel(bounded(t))
				count, failed := 0, error(nil)
				for err := range read(ctx) {
					if failed = err; failed == nil {
						count++
					}
					if count == 5 {
						cut(b, cancel)
					}
				}
				cancel()
				if failed == nil || count >= n {
					t.Errorf("%s: %d were read and nothing is said", reading, count)
				}
			}
		})
	}
}

func errorsOf[T any](all iter.Seq2[T, error]) iter.Seq[error] {
	return func(yield func(error) bool) {
		for _, err := range all {
			if !yield(err) {
				return
			}
		}
	}
}
