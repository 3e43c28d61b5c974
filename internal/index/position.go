package index

import (
	"fmt"
	"math"

	"autopurchase/worker"
)

// position is a place in the list of all requests.
type position struct{ at, id int64 }

// newest is before the first one.
var newest = position{math.MaxInt64, math.MaxInt64}

// String writes it as people get it.
func (p position) String() string { return fmt.Sprintf("%d.%d", p.at, p.id) }

// parsePosition reads it back.
func parsePosition(text string) (position, error) {
	if text == "" {
		return newest, nil
	}
	var p position
	if _, err := fmt.Sscanf(text, "%d.%d", &p.at, &p.id); err != nil || p.String() != text {
		return p, &worker.Invalid{Field: "after", Reason: "must be next of the part before, as it is"}
	}
	return p, nil
}
