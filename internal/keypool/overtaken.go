package keypool

import (
	"context"

	"autopurchase/worker"
)

// maxDoubts is how often a draw is cleared: each time the pool may have been rebuilt meanwhile.
const maxDoubts = 3

// clear returns nil if nobody else can have sent a doubtful order before the pool was rebuilt: its delivery is the only one
// until now, or no later one had it under way then (lost) or had ended it. Else it is the trouble of a lost claim, or of results
// that cannot be read.
//
// That is asked after the script has told when the pool was rebuilt, and the order is drawn only from a pool of that birth:
// whoever is handed the order afterwards leaves its claim there.
func (p *Pool) clear(ctx context.Context, draw worker.Draw, lost bool) error {
	if draw.Sole != nil && draw.Sole() {
		return nil
	}
	if lost {
		return refusal(draw.Pool, "lost", "")
	}
	tenant, ref, _, ok := worker.ParseReference(draw.Reference)
	if !ok {
		return nil // no request's
	}
	id, _ := worker.DecodeRef(ref) // it was parsed
	ctx, cancel := context.WithTimeout(ctx, p.config.CallTimeout)
	defer cancel()
	_, found, err := p.config.History.Result(ctx, tenant, id)
	switch {
	case err != nil:
		return &worker.Trouble{Code: worker.CodeNATSDown, Reason: "the results on record cannot be read", Err: err}
	case found:
		return refusal(draw.Pool, "lost", "")
	}
	return nil
}
