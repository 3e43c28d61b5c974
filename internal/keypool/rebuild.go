package keypool

import (
	"context"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// Rebuild brings a pool to what the broker has on record, if Redis has lost it or, in a pool with a History, if it was not
// verified yet on the Redis that answers now. Keys and settings come from the journal, what was ordered from the results;
// claims are made for the orders of which it is not known whether they exist; and what was delivered and has no result is held
// on every key that could have taken it until it has been looked up. No count is ever lowered. In any other case nothing is
// done, so that any number of processes may rebuild at once and one of them does.
//
// A pool without a journal never was, and stays missing; orders that are waiting for its first key need not fear for their
// claims then, which they would if Add came without this proof. So whoever adds keys rebuilds first, or what a lost pool had
// counted would be forgotten.
//
// Errors: the history's own, or a *worker.Trouble.
func (p *Pool) Rebuild(ctx context.Context, pool string, history History) error {
	if err := nameError(pool); err != nil {
		return err
	}
	select {
	case p.rebuild <- struct{}{}: // whoever looks at it meanwhile would read as much, and find that it is done
		defer func() { <-p.rebuild }()
	case <-ctx.Done():
		return down(context.Cause(ctx))
	}
	before, err := p.standing(ctx, pool)
	if err != nil || before.good {
		return err
	}
	begin, log := time.Now(), p.log.With().Str("pool", pool).Logger()
	past, err := recall(ctx, log, pool, before.known, history)
	if err != nil {
		return err
	}
	if past.last == 0 && before.born == "" {
		_, err = p.run(ctx, pool, newPoolScript, namesOf(pool).keys())
		return err
	}
	log.Warn().Int("requests_under_way", len(past.flights)).
		Msg("redis was started, emptied or exchanged: the pool is compared with the journal and the results")
	if err := p.renew(ctx, pool, before, past); err != nil {
		return err
	}
	log.Info().Int64("results", past.results).Dur("took_ms", time.Since(begin)).Msg("the pool agrees with the journal and the results")
	return nil
}

// renew brings a pool to what its past says, unless it is no longer as it was before.
func (p *Pool) renew(ctx context.Context, pool string, before standing, past *past) error {
	if err := p.name(ctx, pool); err != nil {
		return err
	}
	for claims := range slices.Chunk(past.references(func(f *flight) bool { return f.answered }), chunk) {
		if _, err := p.run(ctx, pool, dropScript, namesOf(pool).keys(claims...), before.server); err != nil {
			return err
		}
	}
	if err := p.stay(ctx, pool, before.server, past); err != nil {
		return err
	}
	claimed, err := p.claimed(ctx, pool, past.references(func(f *flight) bool { return !f.delivered && !f.answered }))
	if err != nil {
		return err
	}
	for ids := range slices.Chunk(past.changes, chunk) {
		if _, err := p.run(ctx, pool, rememberScript, namesOf(pool).changes(ids...), int(remembered/time.Second)); err != nil {
			return err
		}
	}
	if err := p.recallSteps(ctx, pool, before, past); err != nil {
		return err
	}
	if err := p.restoreSealed(ctx, past, before); err != nil {
		return err
	}
	references, args := past.script(before, claimed)
	_, err = p.run(ctx, pool, rebuildScript, namesOf(pool).keys(references...), args...)
	return err
}

// standing is how a pool is before it is rebuilt.
type standing struct {
	server, born string // "" when missing
	known        []string
	good         bool // nothing is to be done
}

func (p *Pool) standing(ctx context.Context, pool string) (s standing, err error) {
	here := ""
	if p.guarded() {
		if here, err = p.identify(ctx, pool); err != nil {
			return s, err
		}
	}
	n := namesOf(pool)
	var fields *redis.SliceCmd
	var known *redis.StringSliceCmd
	err = p.together(ctx, func(pipe redis.Pipeliner) {
		fields, known = pipe.HMGet(ctx, n.pool, "server", "born", "new"), pipe.LRange(ctx, n.known, 0, -1)
	})
	if err != nil {
		return s, err
	}
	text := func(i int) string { t, _ := fields.Val()[i].(string); return t }
	s.server, s.born, s.known = text(0), text(1), known.Val()
	if p.guarded() {
		s.good = s.server == here && (s.born != "" || text(2) != "")
	} else {
		s.good = s.born != ""
	}
	return s, nil
}

// claimed finds out which references have a claim.
func (p *Pool) claimed(ctx context.Context, pool string, references []string) (map[string]bool, error) {
	n, claimed := namesOf(pool), map[string]bool{}
	for chunk := range slices.Chunk(references, chunk) {
		there := make([]*redis.IntCmd, len(chunk))
		err := p.together(ctx, func(pipe redis.Pipeliner) {
			for i, reference := range chunk {
				there[i] = pipe.Exists(ctx, n.claim+reference)
			}
		})
		if err != nil {
			return nil, err
		}
		for i, reference := range chunk {
			if there[i].Val() > 0 {
				claimed[reference] = true
			}
		}
	}
	return claimed, nil
}

// chunk is how many claims are looked at in one step.
const chunk = 500
