package keypool

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"autopurchase/worker"
)

// The fields of a claim's hash are short and none of their values is longer than fieldLimit, or Redis would keep the hash as a
// table at more than three times the size:
//
//	s state   k app key   n products held or counted   u unit of n; missing for lines   f fingerprint
//	o owner, "" once settled   a attempt   t sent at, ms   d settled so many ms after t   x how often sent again
//	e0 e1 …   other app keys that it is on, one each: one of them all took the order
//	h app key that it left   p0 p1 … those whose accounts turned it down, each with the code   q alipay that it needs since
//	r0 r1 …   the outcome, cut into pieces
const fieldLimit = 64

// ClaimsKept is for how long a settled claim is kept. Whatever is on record that may lead to a purchase or to its result, requests (30
// days) and results (400 days), is gone by then. An unknown one is kept until it is resolved.
const ClaimsKept = 431 * 24 * time.Hour

// fit makes a name short enough for a claim's field: a longer one is stood for by its digest, always the same one.
func fit(name string) string {
	if len(name) <= fieldLimit {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// about reads the reply about a claim that was made, moved or settled in this step into what the caller knows of it.
func (r reply) about(claim *worker.Claim) {
	rest := r.brief
	word := func() (word string) {
		word, rest, _ = strings.Cut(rest, " ")
		return word
	}
	number := func() int64 {
		n, _ := strconv.ParseInt(word(), 10, 64) // a script wrote it
		return n
	}
	_ = word() // events
	claim.Turn, claim.Now, claim.AppKey, claim.Products = worker.Turn(word()), time.UnixMilli(number()), word(), number()
	claim.Attempt, claim.Resent = int(number()), int(number())
}

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

// change makes what the caller knows of a claim what a reply says of it, in brief or as it stands.
func (r reply) change(claim *worker.Claim, part *worker.Part) error {
	if r.brief != "" {
		r.about(claim)
		claim.State, claim.Part = part.State, *part
		claim.Part.At = claim.Now
		return nil
	}
	stands, err := claimOf(claim.Pool, claim.Reference, r)
	if err == nil {
		*claim = stands
	}
	return err
}

// moment is a time in milliseconds of Redis's clock; 0 is none.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
