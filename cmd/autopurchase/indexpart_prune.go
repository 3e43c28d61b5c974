package main

import (
	"context"

	"autopurchase/internal/bus"
	"autopurchase/internal/index"
	"autopurchase/worker"
)

// prune has the index forget what the streams have dropped. What is stored while it looks is behind what was read, so that it
// stays.
func (p *indexPart) prune(ctx context.Context, read []worker.Place) error {
	var oldest index.Oldest
	for _, place := range read {
		first, found, err := p.bus.Oldest(ctx, place.Stream)
		switch {
		case err != nil:
			return err
		case !found:
			first = worker.Place{Stream: place.Stream, Sequence: place.Sequence + 1, At: place.At.Add(1)}
		}
		switch place.Stream {
		case bus.StreamRequests:
			oldest.Request = first
		case bus.StreamResults:
			oldest.Result = first
		case bus.StreamStatus:
			oldest.Status = first
		case bus.StreamDead:
			oldest.Dead = first
		}
	}
	pruned, err := p.Prune(ctx, oldest)
	if pruned > 0 {
		p.log.Debug().Int("requests", pruned).Msg("the index forgot requests that no stream has any more")
	}
	return err
}
