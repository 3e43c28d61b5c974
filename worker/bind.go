package worker

import (
	"cmp"
	"context"
	"time"
)

// Binding is a person's word that an order of 1688, as a rule one that somebody made on the website, is what a request asked for.
type Binding struct {
	Tenant    string
	RequestID string
	Reference string // the order of the request; "" takes its only one that has no order at 1688
	OrderID   string // at 1688
	Force     bool   // although it differs
	DryRun    bool   // only compares
	By        string
	Why       string
}

// Bound says what became of a binding.
type Bound struct {
	Tenant      string
	RequestID   string
	Reference   string
	Order       OrderDetail // as 1688 has it
	AppKey      string      // the key that was asked, and that it counts on
	Before      ClaimState  // of the claim; "" for none
	Differences []string    // from what was asked for, in words
	Bound       bool        // it is what the request asked for: now, or since before
	New         bool        // since now
	Outcome     Outcome     // of the request's result on record; "" while there is none
}

// Bindings binds orders in the ledger. Each call is one atomic step that changes nothing when it is repeated. Troubles: CodeFenced when
// the claim is not as it was seen, CodeConflict, CodeLost, CodeNoPool, CodeRedisDown.
type Bindings interface {
	// Bind ends an order that was never sent, or that ended without an order at 1688, as Bonding.Part says, and counts it on the key,
	// whatever its room: no delivery of it that comes later is sent. A claim that has an order comes back as it is.
	Bind(ctx context.Context, b Bonding) (Claim, error)
	// Unbind leaves it open again what became of an order, if its claim is as it was seen. What was counted stays counted, and counts
	// no second time when the order is settled again.
	Unbind(ctx context.Context, seen Claim, part Part) (Claim, error)
}

// Bonding is what Bindings.Bind needs to know.
type Bonding struct {
	Pool, Reference, Fingerprint string
	Published                    time.Time  // when the request was published: a ledger younger than this may have lost its claim
	Seen                         ClaimState // of the claim; "" for none
	Decided                      bool       // the request's result is on record: without a claim it is no loss
	AppKey                       string
	Size                         Size
	Part                         Part
}

// Register keeps who an order of 1688 is bound to by hand, so that one is never bound to two.
type Register interface {
	// Bond gives the deed that says whose an order is, DeedBound or DeedResolved, and its entry's number; 0 if there is none.
	Bond(ctx context.Context, orderID string) (deed Deed, entry uint64, err error)
	// Enter puts it on record that an order is bound, or no longer is, and gives the entry's number; a repetition gives that of the
	// first. An *Invalid if it is bound to another request's.
	Enter(ctx context.Context, deed Deed) (entry uint64, err error)
	// Keep puts on record what was done. A repetition is kept once.
	Keep(ctx context.Context, deed Deed) error
	// PublishStatus tells how an order stands. A repetition is told once.
	PublishStatus(ctx context.Context, status Status) error
}

// Holder is a key and the buyer account that authorized it, as far as that was said.
type Holder struct{ AppKey, Account string }

// Holders lists keys.
type Holders interface {
	// Holders lists the keys of a pool that are not removed, those with the most room first. Troubles: CodeRedisDown.
	Holders(ctx context.Context, pool string) ([]Holder, error)
}

// Binder binds orders of 1688 to requests by a person's word, and takes that back. It is safe for concurrent use; any number of
// processes may bind while others buy.
//
//	before          binding                                                 what follows
//	no claim        ended in one step, so that no worker sends it           placed
//	drawn           the same; what was held is given back                   placed
//	sent            as a fact; its own answer may still come: by force      placed; a worker that brings another order alarms
//	unknown         as a fact                                               placed, behind the unknown result
//	refused,        counted anew                                            placed, behind the other result
//	cancelled
//	placed,         refused, but for the order that it has                  as it was
//	partial
//
// The bond is put on record before the ledger changes, and the deed before the answer: whoever dies in between leaves a bond that
// the same word completes, or that is taken back.
type Binder struct {
	Resolver
	Books    Bookshop
	Holders  Holders
	Bindings Bindings
	Register Register
}

// Bind takes a person's word. 1688 shows the order to the buyer account of the claim's key, or of a key of the pool that has it, and it
// is compared with what was asked for. If it differs, nothing changes unless it is forced, and the answer says how. Binding again the
// same way changes nothing.
//
// Errors: an *Invalid that names the field, which no force overcomes: no account has the order, the request has another one, or the
// order is another request's; a *Trouble of 1688's answer, the ledger or the broker, after which it may be repeated.
func (b *Binder) Bind(ctx context.Context, w Binding) (Bound, error) {
	f, e, err := b.candidate(ctx, w)
	if err != nil {
		return Bound{}, err
	}
	answer := Bound{Tenant: w.Tenant, RequestID: w.RequestID, Reference: e.Claim.Reference, Before: e.Claim.State}
	if answer.Order, answer.AppKey, err = b.show(ctx, f, e, w); err != nil {
		return answer, err
	}
	again := sameOrders(e.Claim.Part.Orders, []string{w.OrderID})
	if !again {
		if answer.Differences, err = b.compare(ctx, f, e, w, answer.Order); err != nil {
			return answer, err
		}
	}
	if f.answered {
		answer.Outcome = f.result.Outcome
	}
	answer.Bound = again
	switch {
	case w.DryRun || !again && len(answer.Differences) > 0 && !w.Force:
		return answer, nil
	case again:
		if bond, _, err := b.Register.Bond(ctx, w.OrderID); err != nil || bond.What != DeedBound {
			return answer, err // no such word is needed for it: it was ordered or resolved so
		}
	}
	return b.bind(ctx, f, e, w, answer)
}

// bind makes it true, in an order in which it may be cut off anywhere and repeated.
func (b *Binder) bind(ctx context.Context, f *file, e *Ended, w Binding, answer Bound) (Bound, error) {
	if into, err := b.keepApart(ctx, f); err != nil || into != "" {
		return answer, cmp.Or(err, w.wrong("request_id", partOf+into+": bind to that"))
	}
	deed := w.deed(e.Claim.Reference)
	entry, err := b.Register.Enter(ctx, deed)
	if err != nil {
		return answer, err
	}
	deed.Entry = entry
	if !answer.Bound {
		if err := b.count(ctx, f, e, w, answer); err != nil {
			return answer, err
		}
	}
	answer.Bound, answer.New = true, !answer.Bound
	if answer.Outcome, err = b.tell(ctx, f, deed, w.note()); err != nil {
		return answer, err
	}
	if err := b.Register.PublishStatus(ctx, deed.status(answer.Order, e.Claim.AppKey)); err != nil {
		return answer, err
	}
	if answer.New {
		b.Observe(Event{Stage: StageBound, Tenant: w.Tenant, RequestID: w.RequestID, Reference: e.Claim.Reference, Pool: f.asked.Pool,
			AppKey: e.Claim.AppKey, Code: e.Claim.Part.Code, Reason: w.note()})
	}
	return answer, b.Register.Keep(ctx, deed)
}

// count ends the claim with the order.
func (b *Binder) count(ctx context.Context, f *file, e *Ended, w Binding, answer Bound) (err error) {
	part, size := w.part(e.Child.Order, answer.Order)
	if f.mayExist(e) {
		keys := e.Claim.Keys()
		if keys[0] == "" {
			keys = []string{answer.AppKey}
		}
		err = b.settle(ctx, f, e, keys, part, size)
	} else {
		e.Claim, err = b.Bindings.Bind(ctx, Bonding{Pool: f.asked.Pool, Reference: e.Claim.Reference, Fingerprint: Fingerprint(&f.asked.Request),
			Published: f.asked.Published, Seen: e.Claim.State, Decided: f.answered, AppKey: answer.AppKey, Size: size, Part: part})
	}
	if err == nil && differs(&e.Claim.Part, &part) {
		err = w.wrong("order_id", "is not bound: meanwhile the order "+tell(e.Claim.Part))
	}
	return err
}

// mayExist says whether the order may have been sent: then its claim, or the place where it was, is settled as a fact.
func (f *file) mayExist(e *Ended) bool {
	return e.Claim.State == ClaimSent || e.Claim.State == ClaimUnknown || e.Claim.State == "" && f.answered && f.result.Outcome == OutcomeUnknown
}

// tell publishes what the request's orders come to, if all of them have ended, and gives the outcome on record.
func (b *Binder) tell(ctx context.Context, f *file, deed Deed, note string) (Outcome, error) {
	for _, e := range f.ended {
		if isOpen(e) && !(f.answered && f.result.Outcome == OutcomeUnknown) && e.Claim.State != ClaimUnknown {
			return f.result.Outcome, nil // "": a worker has it, and publishes it
		}
	}
	result := Gather(&f.asked.Request, f.ended)
	result.Reason, result.Resolves, result.ByHand = joined(result.Reason, note), true, deed.mark()
	result.Unbound = deed.What == DeedUnbound
	if err := b.Outbox.Publish(ctx, result); err != nil {
		return "", err
	}
	onRecord, found, err := b.Record.Result(ctx, result.Tenant, result.RequestID)
	if err != nil || !found {
		return result.Outcome, err
	}
	return onRecord.Outcome, nil
}
