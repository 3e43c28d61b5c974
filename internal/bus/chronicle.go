package bus

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"

	"autopurchase/worker"
)

// maxLetters is how many dead letters of a tenant are looked through for those of one request: they have no subject each.
const maxLetters = 10_000

// Chronicle gives all that the streams have on record about a request, stream by stream in their order; see worker.Chronicle.
// Of its dead letters those are left out that come behind 10,000 others of the tenant.
func (b *Bus) Chronicle(ctx context.Context, tenant, id string) ([]worker.Entry, error) {
	ref := worker.EncodeRef(id)
	var all []worker.Entry
	for _, from := range []struct{ stream, subject string }{
		{StreamRequests, requestSubjects(tenant, ref)},
		{StreamChoices, choiceSubject(tenant, ref)},
		{StreamResults, resultSubject(tenant, ref)},
		{StreamResults, resultSubject(tenant, ref) + ".*"},
		{StreamStatus, statusSubject(tenant, ref)},
		{StreamPayments, paymentSubjects(tenant, ref)},
		{StreamJournal, journalSubject(tenant, id)},
	} {
		entries, err := b.entries(ctx, from.stream, directGet{Sequence: 1, Next: from.subject}, 0)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	letters, err := b.letters(ctx, tenant, id, all)
	return append(all, letters...), err
}

// letters gives the dead letters of a request. None is older than the first that is known of it.
func (b *Bus) letters(ctx context.Context, tenant, id string, known []worker.Entry) (letters []worker.Entry, err error) {
	ask := directGet{Sequence: 1, Next: deadSubject(tenant)}
	if len(known) > 0 {
		ask.Sequence, ask.Since = 0, &known[0].At
	}
	all, err := b.entries(ctx, StreamDead, ask, maxLetters)
	for _, e := range all {
		if e.RequestID == id {
			letters = append(letters, e)
		}
	}
	return letters, err
}

// entries reads what a stream has on a subject; most is at how many it ends, 0 for no such end.
func (b *Bus) entries(ctx context.Context, stream string, ask directGet, most int) (all []worker.Entry, err error) {
	ask.Batch, ask.MaxBytes = tailBatch, tailBytes
	for most == 0 || len(all) < most {
		messages, err := b.batch(ctx, stream, ask)
		if err != nil {
			return nil, natsDown("read stream "+stream, err)
		}
		for _, msg := range messages {
			all = append(all, msg.Entry())
			ask.Sequence, ask.Since = msg.Sequence+1, nil
		}
		if len(messages) == 0 {
			break
		}
	}
	return all, nil
}

// Holds says whether the message at a place is still there, so that a reader may go on behind it. If not, the stream was made
// anew, or all that the reader has read is gone: it begins again.
func (b *Bus) Holds(ctx context.Context, at worker.Place) (bool, error) {
	if at.Sequence == 0 {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	found, err := b.batch(ctx, at.Stream, directGet{Sequence: at.Sequence, Batch: 1})
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return false, nil
	case err != nil:
		return false, natsDown("read stream "+at.Stream, err)
	}
	return len(found) > 0 && found[0].Sequence == at.Sequence && found[0].Time.Equal(at.At), nil
}

// Oldest gives the first message that a stream still has; false if it has none.
func (b *Bus) Oldest(ctx context.Context, stream string) (worker.Place, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	found, err := b.batch(ctx, stream, directGet{Sequence: 1, Batch: 1})
	switch {
	case err != nil:
		return worker.Place{}, false, natsDown("read stream "+stream, err)
	case len(found) == 0:
		return worker.Place{}, false, nil
	}
	return worker.Place{Stream: stream, Sequence: found[0].Sequence, At: found[0].Time}, true, nil
}
