package bus

import (
	"context"
	"time"

	"autopurchase/worker"
)

// ResultsAfter gives some of the results that are stored behind a sequence, and not before a time, the oldest first; see
// worker.PlacedOrders.
func (b *Bus) ResultsAfter(ctx context.Context, sequence uint64, since time.Time) (all []worker.Entry, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	ask := directGet{Sequence: sequence + 1, Next: SubjectResults, Batch: tailBatch, MaxBytes: tailBytes}
	if sequence == 0 {
		ask.Sequence, ask.Since = 0, &since
	}
	messages, err := b.batch(ctx, StreamResults, ask)
	if err != nil {
		return nil, natsDown("read stream "+StreamResults, err)
	}
	for _, msg := range messages {
		all = append(all, msg.Entry())
	}
	return all, nil
}
