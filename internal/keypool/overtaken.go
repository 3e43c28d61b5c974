package keypool

import (
	"context"

	"autopurchase/worker"
)

// maxDoubts is how often a draw is cleared: each time the pool may have been rebuilt meanwhile.
const maxDoubts = 3

// clear returns nil if nobody else can have sent or ended a doubtful order before the pool was rebuilt: it has no result, and its
// delivery is the only one until now, or no later one had it under way then (lost). Else it is the trouble of a lost claim, or of
// results that cannot be read. A sole delivery needs the results too: what was cancelled has ended without one.
//
// That is asked after the script has told when the pool was rebuilt, and the order is drawn only from a pool of that birth:
// whoever is handed the order afterwards leaves its claim there.
func (p *Pool) clear(ctx context.Context, draw *worker.Draw, lost bool) error {
	sole := draw.Sole != nil && draw.Sole()
	if lost && !sole {
		return refusal(draw.Pool, "lost", "")
	}
	return p.unended(ctx, draw.Pool, draw.Reference)
}

// unended returns nil if the order's request has no result on record, as far as there is a record, else the trouble of a lost claim.
func (p *Pool) unended(ctx context.Context, pool, reference string) error {
	tenant, ref, _, ok := worker.ParseReference(reference)
	if !ok || p.config.History == nil {
		return nil // no request's, or of a pool that is not verified
	}
	id, _ := worker.DecodeRef(ref) // it was parsed
	ctx, cancel := context.WithTimeout(ctx, p.config.CallTimeout)
	defer cancel()
	_, found, err := p.config.History.Result(ctx, tenant, id)
	switch {
	case err != nil:
		return &worker.Trouble{Code: worker.CodeNATSDown, Reason: "the results on record cannot be read", Err: err}
	case found:
		return refusal(pool, "lost", "")
	}
	return nil
}
