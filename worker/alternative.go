package worker

import (
	"fmt"
	"slices"
	"time"
)

// MaxAlternatives is how many alternatives a line may name.
const MaxAlternatives = 5

// Alternative is what may be bought instead of a line's goods: as many of it, of the same seller.
type Alternative struct {
	OfferID      string
	SpecID       string // "" for an offer without SKUs
	MaxUnitPrice Fen    // the most that one may cost, whatever the request tolerates
}

// Chosen says that an alternative is bought for a line.
type Chosen struct {
	Line        int    `json:"line"`        // of the request, from 0
	Alternative int    `json:"alternative"` // of the line's, from 1, as it lists them
	OfferID     string `json:"offer_id"`
	SpecID      string `json:"spec_id,omitempty"`
}

// Choice is what is bought of a request with alternatives. It is made once, for all its orders, and is on record before anything is
// drawn for one of them. Whoever handles, looks up or gathers the request later goes by it, so that no order of it is ever another's.
type Choice struct {
	RequestID   string    `json:"request_id"`
	Fingerprint string    `json:"fingerprint"` // of the request that it was made for
	Chosen      []Chosen  `json:"chosen"`      // lines that are not here are bought as they were asked for
	At          time.Time `json:"at"`
}

// words tell a choice to people.
func (c Choice) words() string {
	text := "all is bought as it was asked for"
	for i, chosen := range c.Chosen {
		word := fmt.Sprintf("line %d: alternative %d, %s", chosen.Line, chosen.Alternative, SKU{chosen.OfferID, chosen.SpecID}.words())
		if i == 0 {
			text = word
		} else {
			text += "; " + word
		}
	}
	return text
}

// HasAlternatives says whether a line names any: then what is bought is chosen in a preview.
func (r *Request) HasAlternatives() bool {
	return slices.ContainsFunc(r.Lines, func(l Line) bool { return len(l.Alternatives) > 0 })
}

// Choose gives the request with the choice; false if the choice was made for another request.
func (r Request) Choose(choice Choice) (Request, bool) {
	for _, c := range choice.Chosen {
		if c.Line < 0 || c.Line >= len(r.Lines) || c.Alternative < 1 || c.Alternative > len(r.Lines[c.Line].Alternatives) {
			return r, false
		}
	}
	if choice.Fingerprint != Fingerprint(&r) {
		return r, false
	}
	r.Choice = &choice
	return r, true
}

// bought are the request's lines as they are bought.
func (r *Request) bought() []Line {
	if r.Choice == nil || len(r.Choice.Chosen) == 0 {
		return r.Lines
	}
	lines := slices.Clone(r.Lines)
	for _, c := range r.Choice.Chosen {
		lines[c.Line] = lines[c.Line].instead(lines[c.Line].Alternatives[c.Alternative-1])
	}
	return lines
}

// chosen are the alternatives that are bought for some of its lines; nil if these are bought as they were asked for.
func (r *Request) chosen(lines []int) (some []Chosen) {
	if r.Choice == nil {
		return nil
	}
	for _, c := range r.Choice.Chosen {
		if slices.Contains(lines, c.Line) {
			some = append(some, c)
		}
	}
	return some
}

// instead is the line if an alternative is bought for it.
func (l Line) instead(a Alternative) Line {
	l.OfferID, l.SpecID, l.UnitPrice, l.MaxPrice, l.Alternatives = a.OfferID, a.SpecID, a.MaxUnitPrice, a.MaxUnitPrice, nil
	return l
}

// common are the alternatives that both of two lines name, which ask for the same: in the first one's order, for the lower price.
func common(first, second []Alternative) (both []Alternative) {
	for _, a := range first {
		if at := slices.IndexFunc(second, a.same); at >= 0 {
			a.MaxUnitPrice = min(a.MaxUnitPrice, second[at].MaxUnitPrice)
			both = append(both, a)
		}
	}
	return both
}

func (a Alternative) same(b Alternative) bool { return a.OfferID == b.OfferID && a.SpecID == b.SpecID }
