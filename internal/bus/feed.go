package bus

import (
	"context"
	"iter"
	"time"

	"autopurchase/worker"
)

// Feed reads results in steps, each one behind the last. It is not safe for concurrent use.
type Feed struct {
	history *History
	at      place
}

// Feed begins with the first result that was stored at a time or later, by the broker's clock.
func (h *History) Feed(since time.Time) *Feed {
	return &Feed{h, place{stream: StreamResults, filters: []string{SubjectResults}, since: since}}
}

// News yields what is stored and was not yielded before, those of all pools, in order. It ends after the first error; the next
// call goes on behind the last result that was yielded.
func (f *Feed) News(ctx context.Context) iter.Seq2[worker.Result, error] {
	return func(yield func(worker.Result, error) bool) {
		for msg, err := range f.history.upToNow(ctx, f.at) {
			var result worker.Result
			if err == nil {
				result, err = readResult(msg.Subject(), msg.Data())
			}
			if err == nil {
				f.at.next = msg.sequence + 1
			}
			if !yield(result, err) || err != nil {
				return
			}
		}
	}
}
