package keypool

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"autopurchase/worker"
)

// The fields of a claim's hash are short and none of their values is longer than fieldLimit, or Redis would keep the hash as a
// table at more than three times the size:
//
//	s state   k app key   n products held or counted   u unit of n   f fingerprint
//	o owner   a attempt   t sent at, ms                d settled at, ms   x how often sent again
//	e0 e1 …   other app keys that it is on, one each: one of them all took the order
//	h app key that it left   p0 p1 … those whose accounts turned it down, each with the code   q alipay that it needs since
//	r0 r1 …   the outcome, cut into pieces
const fieldLimit = 64

// How much of the words that came with an outcome is kept.
const (
	reasonLimit       = 512 // bytes
	failedReasonLimit = 128 // bytes
)

// outcome is a settled part as it is kept in a claim; the state and the time have fields of their own.
type outcome struct {
	// Code is left out when it says no more than the state.
	Code   worker.Code `json:"c,omitempty"`
	Reason string      `json:"r,omitempty"`
	Orders []order     `json:"o,omitempty"`
	Failed []failed    `json:"f,omitempty"`
}

type order struct {
	ID      string     `json:"i"`
	Total   worker.Fen `json:"t,omitempty"`
	Postage worker.Fen `json:"p,omitempty"`
	// Discount and Lines are known of few orders.
	Discount worker.Fen `json:"d,omitempty"`
	Lines    []int      `json:"l,omitempty"`
}

type failed struct {
	OfferID string        `json:"i"`
	SpecID  string        `json:"s,omitempty"`
	Code    worker.Code   `json:"c,omitempty"`
	Reason  string        `json:"r,omitempty"`
	Tried   []worker.Code `json:"t,omitempty"`
}

// abridge gives an outcome as it will be read back from a claim, so that nobody tells more of it than a redelivery would.
func abridge(part worker.Part) worker.Part {
	part.Code = cmp.Or(part.Code, worker.Code(part.State))
	part.Reason = shorten(part.Reason, reasonLimit)
	part.Orders = slices.Clone(part.Orders)
	for i := range part.Orders {
		part.Orders[i].Holds = nil
	}
	part.Failed = slices.Clone(part.Failed)
	for i := range part.Failed {
		part.Failed[i].Reason = shorten(part.Failed[i].Reason, failedReasonLimit)
	}
	return part
}

// pack writes an abridged outcome as the pieces r0, r1, …
func pack(part worker.Part) []string {
	o := outcome{Code: part.Code, Reason: part.Reason}
	if string(part.Code) == string(part.State) {
		o.Code = ""
	}
	for _, p := range part.Orders {
		o.Orders = append(o.Orders, order{ID: p.ID, Total: p.Total, Postage: p.Postage, Discount: p.Discount, Lines: p.Lines})
	}
	for _, f := range part.Failed {
		o.Failed = append(o.Failed, failed(f))
	}
	text, _ := json.Marshal(o) // texts and numbers only: it cannot fail
	pieces := make([]string, 0, len(text)/fieldLimit+1)
	for len(text) > fieldLimit {
		pieces, text = append(pieces, string(text[:fieldLimit])), text[fieldLimit:]
	}
	return append(pieces, string(text))
}

// unpack reads what pack wrote into a part whose state is set.
func unpack(text string, part *worker.Part) error {
	if text == "" {
		return nil
	}
	var o outcome
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("outcome of a claim cannot be read: %w", err)
	}
	part.Code, part.Reason = cmp.Or(o.Code, worker.Code(part.State)), o.Reason
	for _, p := range o.Orders {
		part.Orders = append(part.Orders, worker.PlacedOrder{ID: p.ID, Total: p.Total, Postage: p.Postage, Discount: p.Discount, Lines: p.Lines})
	}
	for _, f := range o.Failed {
		part.Failed = append(part.Failed, worker.FailedOffer(f))
	}
	return nil
}

// shorten cuts a text at a whole character within limit bytes and says so by an ellipsis.
func shorten(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	const ellipsis = "…"
	end := limit - len(ellipsis)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

// fit makes a name short enough for a claim's field: a longer one is stood for by its digest, always the same one.
func fit(name string) string {
	if len(name) <= fieldLimit {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// brief reads the reply about a claim that was made, moved or settled in this step into what the caller knows of it:
// ok, events, turn, now, app key, products, attempt, resent.
func (r reply) brief(claim worker.Claim) worker.Claim {
	claim.Turn, claim.Now, claim.AppKey, claim.Products = worker.Turn(r.text(2)), time.UnixMilli(r.number(3)), r.text(4), r.number(5)
	claim.Attempt, claim.Resent = int(r.number(6)), int(r.number(7))
	return claim
}

// isBrief says which of the two it is.
func (r reply) isBrief() bool { return len(r.values) == 8 }

// claimOf reads the reply of the scripts that return a claim as it stands:
// ok, events, turn, now, app key, products, state, owner, attempt, sent at, settled at, outcome, resent, other app keys.
func claimOf(pool, reference string, r reply) (worker.Claim, error) {
	claim := worker.Claim{
		Pool:      pool,
		Reference: reference,
		Turn:      worker.Turn(r.text(2)),
		Now:       time.UnixMilli(r.number(3)),
		AppKey:    r.text(4),
		Products:  r.number(5),
		State:     worker.ClaimState(r.text(6)),
		Owner:     r.text(7),
		Attempt:   int(r.number(8)),
		SentAt:    moment(r.number(9)),
		Resent:    int(r.number(12)),
		AlsoOn:    strings.Fields(r.text(13)),
	}
	if len(claim.AlsoOn) == 0 {
		claim.AlsoOn = nil
	}
	if !claim.State.Settled() {
		return claim, nil
	}
	claim.Part.State, claim.Part.At = claim.State, moment(r.number(10))
	if err := unpack(r.text(11), &claim.Part); err != nil {
		return claim, &worker.Trouble{Code: worker.CodeInternal, Reason: "claim " + reference, Err: err}
	}
	return claim, nil
}

// moment is a time in milliseconds of Redis's clock; 0 is none.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
