package relay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"autopurchase/internal/alibaba"
)

const (
	// DefaultMissedEvery is how often each key is asked for pushes that were missed.
	DefaultMissedEvery = 5 * time.Minute
	// missedFirst is when they are asked first: workers have connected by then.
	missedFirst = 5 * time.Second
	// missedSince is how far back: 1688 is said to keep them between 7 days and 3 months.
	missedSince = 7 * 24 * time.Hour
	// missedPages bounds one round, whose calls are paced like all of the key's.
	missedPages = 50
)

var missedWords = words{"pushes that were missed cannot be asked for", "pushes that were missed can be asked for again"}

// catchUp asks again and again, key after key, for pushes that nobody confirmed: those of a time when no relay ran, or that came
// too often in vain. They are confirmed once they are stored, like the others.
func (r *Relay) catchUp(ctx context.Context) error {
	for next := min(missedFirst, r.config.MissedEvery); ; next = r.config.MissedEvery/2 + rand.N(r.config.MissedEvery) {
		pause := time.NewTimer(next)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
		for _, key := range r.all() {
			if key.usable() != nil {
				continue
			}
			err := r.missed(ctx, key)
			r.missing.tell(r.config.Log, err, missedWords)
		}
	}
}

// missed takes over what is there for a key. It always reads the first page: confirming shifts the later ones. What cannot be stored
// now stays for the next round.
func (r *Relay) missed(ctx context.Context, key *keyholder) error {
	to := time.Now().Add(time.Hour) // clocks differ
	for range missedPages {
		if err := key.pace(ctx, 2); err != nil {
			return err
		}
		list, err := r.client.Missed(ctx, key.credentials(), to.Add(-missedSince), to)
		if err != nil {
			return fmt.Errorf("app key %s: %w", key.AppKey, err)
		}
		stored, failed := r.takeMissed(ctx, key, list)
		if len(stored) > 0 {
			if err := r.client.ConfirmMissed(ctx, key.credentials(), stored); err != nil {
				return fmt.Errorf("app key %s: %w", key.AppKey, err)
			}
		}
		if failed != nil || len(stored) == 0 || len(list) < alibaba.MissedPage {
			return failed
		}
	}
	return nil
}

// takeMissed hands listed pushes on and gives the ids of those that are stored.
func (r *Relay) takeMissed(ctx context.Context, key *keyholder, list []alibaba.Missed) (stored []string, failed error) {
	for _, m := range list {
		err := r.handOnAll(ctx, key, m)
		if err == nil {
			stored = append(stored, m.ID)
			continue
		}
		if failed = err; errors.Is(err, errUnstored) || ctx.Err() != nil {
			break
		}
	}
	return stored, failed
}

func (r *Relay) handOnAll(ctx context.Context, key *keyholder, m alibaba.Missed) error {
	ctx, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	for _, push := range m.Pushes {
		if err := r.handOn(ctx, key, push); err != nil {
			return err
		}
	}
	return nil
}
