package worker

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"
)

// MergeLines is the most lines of a request that may be bought together with others; together they have MaxSKUs at most.
const MergeLines = 10

// Mark says of a request that may be bought together with others how it is bought. It is written once, and decides: a worker buys
// such a request alone, or a person takes it back, only when its mark says that it is alone.
type Mark struct {
	Into        string   `json:"into,omitempty"`        // id of the request that it is bought with; "" if it is alone
	Members     []string `json:"members,omitempty"`     // ids of those that were to be bought together; of a merged request's own mark: that are
	Fingerprint string   `json:"fingerprint,omitempty"` // of the request that is marked: another one may use its id once that is free again
}

// Marks keeps marks. Errors are *Trouble with CodeNATSDown.
type Marks interface {
	// Marked gives the mark of a request; false if it has none.
	Marked(ctx context.Context, tenant, id string) (Mark, bool, error)
	// Mark puts a mark on a request unless it has one, and gives the one that it has then.
	Mark(ctx context.Context, tenant, id string, mark Mark) (Mark, error)
}

// Merges is what the broker keeps of requests that are bought together.
type Merges interface {
	Record
	Marks
	// AskMerged stores a merged request. Repeating it changes nothing. A *Trouble with CodeInternal if another request is stored under
	// its id.
	AskMerged(ctx context.Context, request Request) error
}

// mergedPrefix begins the id of a request that was made of others.
const mergedPrefix = "merged-"

// mergedID names what is made of these requests: the same ones always have the same.
func mergedID(members []Request) string {
	var b []byte
	for _, r := range members {
		b = appendText(b, Fingerprint(&r))
	}
	sum := sha256.Sum256(b)
	return mergedPrefix + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// mergeable says whether a request may be bought together with others within a window from now. It is small, of one seller, each of
// its lines says what it is expected to cost, which is what costs are split by, and names no alternatives, and it sets no limit to its own cost, which nobody
// could keep for a part of an order.
func (r Request) mergeable(window time.Duration, now time.Time) bool {
	if !r.Merge || len(r.Lines) > MergeLines || r.MaxTotal > 0 || r.Lines[0].Seller == "" {
		return false
	}
	for _, line := range r.Lines {
		if line.Seller != r.Lines[0].Seller || line.UnitPrice == 0 || len(line.Alternatives) > 0 {
			return false
		}
	}
	return r.Deadline.IsZero() || r.Deadline.After(now.Add(2*window))
}

// company is what requests have in common that may be bought together.
func (r Request) company() string {
	common := r
	common.ID, common.Lines = r.Lines[0].Seller, nil
	return r.Tenant + "." + string(r.Priority) + "." + Fingerprint(&common)
}

// merged makes one request of several whose time has come: their lines, one after the other.
func merged(id string, members []Request) Request {
	whole := members[0]
	whole.ID, whole.Merge, whole.Lines = id, false, nil
	whole.NotBefore, whole.HoldFor = time.Time{}, 0 // theirs are over
	for _, r := range members {
		whole.Lines = append(whole.Lines, r.Lines...)
	}
	return whole
}

// agrees says whether two requests expect the same price wherever they ask for the same goods: one line of an order has one price.
func (r Request) agrees(with Request) bool {
	for _, a := range r.Lines {
		for _, b := range with.Lines {
			if a.OfferID == b.OfferID && a.SpecID == b.SpecID && a.UnitPrice != b.UnitPrice {
				return false
			}
		}
	}
	return true
}

// partOf begins the reason that the ledger keeps of a request that is bought with others.
const partOf = "is bought as part of "

// partOfOther says of an order whether the ledger has it as bought with others.
func (c Claim) partOfOther() bool {
	return c.State == ClaimCancelled && strings.HasPrefix(c.Part.Reason, partOf)
}

// alone is the mark of a request that is never bought together with others.
func (r *Request) alone() Mark { return Mark{Fingerprint: Fingerprint(r)} }

// apart gives the request that this one is bought with, "" if it is bought alone, and sees to it that it stays so; only looking does not.
func apart(ctx context.Context, marks Marks, r Request, onlyLook bool) (into string, err error) {
	if !r.Merge {
		return "", nil
	}
	var mark Mark
	if onlyLook {
		mark, _, err = marks.Marked(ctx, r.Tenant, r.ID)
	} else {
		mark, err = marks.Mark(ctx, r.Tenant, r.ID, r.alone())
	}
	return mark.Into, err
}
