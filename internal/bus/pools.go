package bus

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Pools lists the pools that the journal knows, in alphabetical order.
func (b *Bus) Pools(ctx context.Context) ([]string, error) {
	stream, err := b.js.Stream(ctx, StreamKeyPool)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", StreamKeyPool, err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(SubjectPoolEvent))
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", StreamKeyPool, err)
	}
	pools := map[string]bool{}
	for subject := range info.State.Subjects {
		pool, _, _ := strings.Cut(strings.TrimPrefix(subject, eventPrefix), ".")
		pools[pool] = true
	}
	return slices.Sorted(maps.Keys(pools)), nil
}
