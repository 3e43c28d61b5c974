package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Chronicle is what the broker has on record about requests, message by message.
type Chronicle interface {
	// Chronicle gives what there is about a request, each stream's messages in their order; none if nothing is on record.
	Chronicle(ctx context.Context, tenant, id string) ([]Entry, error)
}

// Biographer tells the lives of requests: from what is on record at the broker and from the claims of their orders. It changes
// nothing and is safe for concurrent use.
type Biographer struct {
	Chronicle Chronicle
	Claims    Claims
	Stock     Stock
	Vitals    func() Vitals // of a worker: it knows why it stands still
	// CallTimeout is how long an answer of 1688 may take.
	CallTimeout time.Duration
}

// Life tells all that is known of a request. Where Redis is out of reach, its orders are told from its result alone. Of a step
// whose time nobody wrote down there is none in the list.
//
// Errors: a *Denied with DenyUnknownRequest when nothing is on record, a *Trouble when the broker is out of reach.
func (b *Biographer) Life(ctx context.Context, tenant, id string) (Life, error) {
	entries, err := b.Chronicle.Chronicle(ctx, tenant, id)
	if err != nil {
		return Life{}, err
	}
	bio := &biography{Life: Life{Summary: Summary{Tenant: tenant, RequestID: id, State: LifeWaiting}}, now: time.Now()}
	for _, e := range entries {
		bio.read(e)
	}
	if bio.request == nil && bio.result == nil && len(bio.Steps) == 0 {
		return Life{}, &Denied{Code: DenyUnknownRequest, Field: "request_id", Reason: "names no request that is on record for tenant " + tenant}
	}
	b.parts(ctx, bio)
	bio.WaitingFor = b.waitingFor(ctx, bio)
	slices.SortStableFunc(bio.Steps, func(x, y LifeStep) int { return x.At.Compare(y.At) })
	return bio.Life, nil
}

// biography is a life as it is written.
type biography struct {
	Life
	request *Request
	fault   *Invalid
	result  *Result
	course  Course
	unpaid  []Payment // that want a person, as far as was read
	claims  []Claim
	redis   error // why the claims could not be asked for
	now     time.Time
}

func (bio *biography) step(s LifeStep) {
	s.At = s.At.UTC()
	bio.Steps = append(bio.Steps, s)
}

// read takes in one message.
func (bio *biography) read(e Entry) {
	switch {
	case e.Request != nil:
		bio.request, bio.fault, bio.Sequence = e.Request, e.Fault, e.Sequence
		bio.Ask(*e.Request, e.At)
		bio.step(LifeStep{At: e.At, What: "asked", Text: bio.askedFor()})
	case e.Result != nil && e.Result.Aside:
		bio.step(LifeStep{At: e.At, What: "aside", Code: e.Result.Code, Attempt: e.Result.Attempt,
			Text: joined("another message under this id was "+string(e.Result.Outcome), e.Result.Reason)})
	case e.Result != nil:
		bio.result = e.Result
		bio.Decide(*e.Result)
		bio.step(LifeStep{At: e.At, What: "result", Code: e.Result.Code, Attempt: e.Result.Attempt, Text: joined(string(e.Result.Outcome), e.Result.Reason)})
	case e.Status != nil:
		bio.readStatus(e)
	case e.Payment != nil:
		bio.readPayment(*e.Payment, e.At)
	case e.Deed != nil:
		bio.step(LifeStep{At: e.At, What: string(e.Deed.What), Reference: e.Deed.OutOrderID, Text: joined(e.Deed.Text, e.Deed.Why), By: e.Deed.By})
	case e.Choice != nil:
		bio.step(LifeStep{At: e.At, What: "chosen", Text: e.Choice.words()})
	case e.Dead != nil:
		bio.step(LifeStep{At: e.At, What: "dead", Code: e.Dead.Code, Attempt: e.Dead.Attempt, Text: e.Dead.Reason})
	}
}

func (bio *biography) askedFor() string {
	if bio.fault != nil {
		return "asked for in a form that no worker takes: " + bio.fault.Error()
	}
	return fmt.Sprintf("asked for: %s of %s, with keys of pool %s", count(bio.Lines, "line", "lines"), count(max(len(bio.Sellers), 1), "seller", "sellers"), bio.Pool)
}

// readStatus takes in what 1688 told, in whatever order that came.
func (bio *biography) readStatus(e Entry) {
	bio.course.Take(*e.Status)
	bio.Latest, bio.Tracking = bio.course.latest(), Tracked(bio.Tracking, e.Status.Parcels)
	bio.step(LifeStep{At: e.At, What: "status", Reference: e.Status.OutOrderID, Text: fmt.Sprintf("order %s: %s", e.Status.OrderID, e.Status.Say())})
}

// readPayment takes in an entry of the record of an order's payment; the last one of each order counts.
func (bio *biography) readPayment(p Payment, at time.Time) {
	bio.unpaid = slices.DeleteFunc(bio.unpaid, func(other Payment) bool { return other.OrderID == p.OrderID })
	if p.Wants() {
		bio.unpaid = append(bio.unpaid, p)
	}
	bio.step(LifeStep{At: at, What: "payment", Reference: p.Reference, Attempt: p.Try, Text: joined(p.told(), p.Why), By: p.By})
}

// parts gathers the request's orders: each as its claim has it, or as the result does where the ledger knows nothing.
func (b *Biographer) parts(ctx context.Context, bio *biography) {
	bio.Parts = []LifePart{} // not null
	if bio.request == nil || bio.fault != nil {
		return
	}
	for _, child := range Split(bio.request) {
		claim, known, err := b.Claims.Claim(ctx, bio.Pool, child.Order.Reference)
		if err != nil && AsTrouble(err).Code != CodeNoPool {
			bio.redis = err
		}
		if !known && bio.result != nil {
			claim = bio.result.recall(child)
		}
		claim.Reference = child.Order.Reference
		bio.claims = append(bio.claims, claim)
		bio.Parts = append(bio.Parts, bio.part(child, claim))
		bio.told(claim, known)
	}
}

func (bio *biography) part(child Child, claim Claim) LifePart {
	p := LifePart{
		Reference: claim.Reference, Seller: sellerOf(&child.Order), Lines: child.Lines, Claim: claim.State, AppKey: claim.AppKey, AlsoOn: claim.AlsoOn,
		Products: claim.Products, Attempt: claim.Attempt, SentAt: utc(claim.SentAt), EndedAt: utc(claim.Part.At), Code: claim.Part.Code, Reason: claim.Part.Reason,
	}
	p.OrderIDs = union(nil, ids(claim.Part.Orders)...)
	for _, id := range p.OrderIDs {
		if o, found := bio.course.Order(id); found {
			p.State, p.Status, p.Parcels = o.State, o.Status, append(p.Parcels, o.Parcels...)
		}
	}
	return p
}

// told adds the steps of an order whose times the ledger has.
func (bio *biography) told(claim Claim, known bool) {
	if !known {
		return
	}
	keys := strings.Join(claim.Keys(), " or ")
	if !claim.SentAt.IsZero() {
		bio.step(LifeStep{At: claim.SentAt, What: "sent", Reference: claim.Reference, Attempt: claim.Attempt, Text: "order sent with app key " + keys})
	}
	if claim.State.Settled() && !claim.Part.At.IsZero() {
		bio.step(LifeStep{At: claim.Part.At, What: "settled", Reference: claim.Reference, Code: claim.Part.Code, Attempt: claim.Attempt, Text: "the order " + tell(claim.Part)})
	}
}

func utc(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.UTC()
}
