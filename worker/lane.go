package worker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Lane is how soon a request is to be bought: each lane is a queue of its own. "" stands for LaneNormal where nothing is said.
type Lane string

// The lanes.
const (
	LaneHigh   Lane = "high"
	LaneNormal Lane = "normal"
	LaneLow    Lane = "low"
)

// Lanes are all lanes, the most urgent first.
func Lanes() []Lane { return []Lane{LaneHigh, LaneNormal, LaneLow} }

// LaneShares is how many requests each lane gets, in proportion, while all of them have some that wait. A lane that has none leaves
// its share to the others, and none gets nothing. A lane that is not named has its share of DefaultLaneShares.
type LaneShares map[Lane]int

// DefaultLaneShares are 6, 3 and 1.
func DefaultLaneShares() LaneShares { return LaneShares{LaneHigh: 6, LaneNormal: 3, LaneLow: 1} }

// maxShare keeps the smallest share from being none.
const maxShare = 1000

// Of gives a lane's share, at least 1.
func (s LaneShares) Of(lane Lane) int {
	if share := s[lane]; share > 0 {
		return share
	}
	return DefaultLaneShares()[lane]
}

// String writes them as ParseLaneShares reads them.
func (s LaneShares) String() string {
	var parts []string
	for _, lane := range Lanes() {
		parts = append(parts, string(lane)+"="+strconv.Itoa(s.Of(lane)))
	}
	return strings.Join(parts, ",")
}

// ParseLaneShares reads shares such as "high=6,normal=3,low=1"; what is left out is as in DefaultLaneShares. It returns an error if a lane is
// not known or named twice, or a share is not 1 to 1000: with less, what waits in a lane would never be bought.
func ParseLaneShares(text string) (LaneShares, error) {
	shares := LaneShares{}
	for part := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(strings.TrimSpace(part), "=")
		lane := Lane(name)
		if !slices.Contains(Lanes(), lane) {
			return nil, fmt.Errorf("%q: no lane: must be such as %s", part, DefaultLaneShares())
		}
		if _, twice := shares[lane]; twice {
			return nil, fmt.Errorf("lane %s is named twice", lane)
		}
		share, err := strconv.Atoi(number)
		if err != nil || share < 1 || share > maxShare {
			return nil, fmt.Errorf("share %q of lane %s: must be a whole number from 1 to %d", number, lane, maxShare)
		}
		shares[lane] = share
	}
	return shares, nil
}
