package worker

import (
	"context"
	"time"
)

// Infirmary is where benched keys lie.
type Infirmary interface {
	// Benched lists the benched keys of all pools. Trouble: CodeRedisDown.
	Benched(ctx context.Context) ([]BenchedKey, error)
	// Restore puts a benched key back into use, once that is on record; any other key stays as it is. Troubles: CodeRedisDown,
	// CodeNATSDown.
	Restore(ctx context.Context, key BenchedKey, why string) error
}

// BenchedKey is a key that was taken out of use until it is restored.
type BenchedKey struct{ Pool, AppKey string }

// Prover asks 1688 whether a key can be used.
type Prover interface {
	// Check asks for one thing; see Check.
	Check(ctx context.Context, appKey string, what Check) Answer
}

// Reviver puts benched keys back as soon as 1688 takes them again. It asks after First, and then after twice as long each time
// until Longest; a key that is benched again within Longest goes on where it was, so that one that passes the check and fails
// at work is not tried again and again. Any number of revivers may work on the same keys.
type Reviver struct {
	Infirmary Infirmary
	Prover    Prover
	First     time.Duration // default 1 min
	Longest   time.Duration // default 1 h
	Observe   func(Event)

	patients map[BenchedKey]*patient
}

// patient is a key that is benched, or was lately.
type patient struct {
	pause time.Duration // before the next question
	next  time.Time     // when it is due
	seen  time.Time     // when it was last benched
}

// Run works until ctx ends.
func (r *Reviver) Run(ctx context.Context) {
	setDefault(&r.First, time.Minute)
	setDefault(&r.Longest, time.Hour)
	r.patients = map[BenchedKey]*patient{}
	for wait(ctx, r.First/4) {
		keys, err := r.Infirmary.Benched(ctx)
		if err != nil {
			continue // who draws says so too
		}
		now := time.Now()
		for _, key := range keys {
			r.visit(ctx, key, now)
		}
		r.discharge(now)
	}
}

// visit asks whether a key can be used, if it is time to.
func (r *Reviver) visit(ctx context.Context, key BenchedKey, now time.Time) {
	p := r.patients[key]
	if p == nil {
		p = &patient{pause: r.First}
		r.patients[key] = p
	}
	if now.Sub(p.seen) > r.First { // it has just been benched
		p.next = now.Add(p.pause)
	}
	p.seen = now
	if now.Before(p.next) {
		return
	}
	p.pause = min(2*p.pause, r.Longest)
	p.next = now.Add(p.pause)
	answer := r.prove(ctx, key)
	if answer.Verdict != Placed {
		r.Observe(Event{Stage: StageProbed, Pool: key.Pool, AppKey: key.AppKey, Code: answer.Code, Reason: answer.Reason})
		return
	}
	if err := r.Infirmary.Restore(ctx, key, "1688 takes the key, its secret and its authorization"); err != nil {
		t := AsTrouble(err)
		r.Observe(Event{Stage: StageProbed, Pool: key.Pool, AppKey: key.AppKey, Code: t.Code, Reason: t.Reason, Err: t.Err})
	}
}

// prove is the first check that fails, or the last one: a key needs its secret and its authorization.
func (r *Reviver) prove(ctx context.Context, key BenchedKey) (answer Answer) {
	for _, what := range []Check{CheckTime, CheckToken} {
		if answer = r.Prover.Check(ctx, key.AppKey, what); answer.Verdict != Placed {
			break
		}
	}
	return answer
}

// discharge forgets keys that have been in use long enough.
func (r *Reviver) discharge(now time.Time) {
	for key, p := range r.patients {
		if now.Sub(p.seen) > r.Longest {
			delete(r.patients, key)
		}
	}
}
