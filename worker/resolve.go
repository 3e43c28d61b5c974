package worker

import (
	"context"
	"errors"
	"time"
)

// Resolution is a person's word on an order of which it is not known whether it exists.
type Resolution struct {
	Tenant    string
	RequestID string
	Reference string   // the order; "" takes the request's only one that is open
	Placed    []string // its order ids at 1688; none says that no order exists
	Force     bool     // also against what 1688's list says
	DryRun    bool     // only says what would happen
	By        string   // who says so
	Why       string   // for the record; may be empty
}

// Asked is a request as the broker has it on record.
type Asked struct {
	Request
	Subject   string
	Sequence  uint64
	Published time.Time // by the broker's clock
	Origin    string    // id of the request that it is a retry of, "" for none
}

// Record is what the broker has on record about a request.
type Record interface {
	// Asked gives the request; false if it is not, or no longer, on record.
	Asked(ctx context.Context, tenant, id string) (Asked, bool, error)
	// Result gives the result; false if there is none yet.
	Result(ctx context.Context, tenant, id string) (Result, bool, error)
}

// Claims shows claims without touching them.
type Claims interface {
	// Claim gives a claim; false if the ledger has none. Troubles: CodeNoPool, CodeRedisDown.
	Claim(ctx context.Context, pool, reference string) (Claim, bool, error)
}

// Resolver ends what workers had to leave open: parked requests by a person's word, and orders whose answer came after
// nobody waited for it any more. It is safe for concurrent use; any number of processes may resolve the same request.
type Resolver struct {
	Record  Record
	Claims  Claims
	Ledger  Ledger
	Stock   Stock
	Market  Market
	Outbox  Outbox
	Marks   Marks
	Bonds   Bonds // nil: nobody keeps whose an order is by a person's word
	Observe func(Event)
}

// Bonds keeps whose an order of 1688 is by a person's word; see Register.
type Bonds interface {
	// Enter puts it on record; an *Invalid if it is another request's.
	Enter(ctx context.Context, deed Deed) (entry uint64, err error)
}

// verifyTime bounds the question to 1688, since a person waits for the answer.
const verifyTime = 3 * time.Second

// Resolve takes a person's word: it is compared with what 1688's list says, settles the claim (placed counts, absent gives
// the quota back) and puts the request's final result behind the unknown one, which gathers all its orders. It returns the
// result that is on record then, which is still unknown while other orders of the request are. Resolving again the same way
// changes nothing and returns the same result.
//
// Errors: an *Invalid that names the field, when the request is not parked, or when the word contradicts 1688 or what is
// known already; a *Trouble of the ledger or the outbox, after which it may be repeated.
func (v *Resolver) Resolve(ctx context.Context, r Resolution) (Result, error) {
	f, err := v.open(ctx, r.Tenant, r.RequestID)
	switch {
	case err != nil:
		return Result{}, err
	case f.into != "":
		return Result{}, r.wrong("request_id", partOf+f.into+": resolve that")
	case !f.answered:
		return Result{}, r.wrong("request_id", "is not parked: it has no result yet")
	case f.result.Outcome != OutcomeUnknown:
		return f.again(r)
	}
	e, err := f.choose(r)
	if err != nil {
		return Result{}, err
	}
	if r.DryRun {
		return v.foretell(ctx, f, e, r)
	}
	if err := v.apply(ctx, f, e, r); err != nil {
		return Result{}, err
	}
	result, err := v.conclude(ctx, f, r.note())
	if err == nil {
		v.Observe(Event{Stage: StageResolved, Tenant: r.Tenant, RequestID: r.RequestID, Reference: e.Claim.Reference,
			AppKey: e.Claim.AppKey, Attempt: result.Attempt, Code: e.Claim.Part.Code, Reason: r.note()})
	}
	return result, err
}

// apply settles the order's claim as the person says. What is settled already can only be confirmed.
func (v *Resolver) apply(ctx context.Context, f *file, e *Ended, r Resolution) error {
	if !isOpen(e) {
		if !sameOrders(e.Claim.Part.Orders, r.Placed) {
			return r.wrong(r.field(), "contradicts what is known meanwhile: the order "+tell(e.Claim.Part))
		}
		return nil
	}
	part, size, keys, err := v.judge(ctx, f, e, r)
	if err == nil {
		err = v.enter(ctx, e.Claim.Reference, r)
	}
	if err != nil {
		return err
	}
	if err := v.settle(ctx, f, e, keys, part, size); err != nil {
		return err
	}
	if differs(&e.Claim.Part, &part) {
		return r.wrong(r.field(), "contradicts what was settled in this moment: the order "+tell(e.Claim.Part))
	}
	return nil
}

// enter puts it on record whose the orders are by this word, before it is made true: none is said to be two requests'.
func (v *Resolver) enter(ctx context.Context, reference string, r Resolution) error {
	if v.Bonds == nil {
		return nil
	}
	deed := r.Deed(time.Now())
	deed.OutOrderID = reference
	for _, id := range r.Placed {
		deed.OrderID = id
		_, err := v.Bonds.Enter(ctx, deed)
		if taken, ok := errors.AsType[*Invalid](err); ok {
			return r.wrong("placed", "order "+id+" "+taken.Reason)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// judge asks 1688 whether the word may be true, and says what it settles and on which keys.
func (v *Resolver) judge(ctx context.Context, f *file, e *Ended, r Resolution) (Part, Size, []string, error) {
	answer, keys := v.find(ctx, f.asked.Pool, e)
	if reason := r.objection(answer); reason != "" {
		return Part{}, Size{}, nil, r.wrong(r.field(), reason)
	}
	part, size := r.part(e.Child.Order, answer)
	return part, size, keys, nil
}

// foretell gives the result that there would be. What the order would count is not known before it is settled.
func (v *Resolver) foretell(ctx context.Context, f *file, e *Ended, r Resolution) (Result, error) {
	if isOpen(e) {
		part, _, _, err := v.judge(ctx, f, e, r)
		if err != nil {
			return Result{}, err
		}
		part.At = f.result.DecidedAt
		e.Claim.State, e.Claim.Part = part.State, part
	} else if !sameOrders(e.Claim.Part.Orders, r.Placed) {
		return Result{}, r.wrong(r.field(), "contradicts what is known meanwhile: the order "+tell(e.Claim.Part))
	}
	result := Gather(&f.asked.Request, f.ended)
	result.Reason = joined(result.Reason, r.note())
	return result, nil
}

// find looks the order up with its keys, or with every key of the pool if it has none, and says which may have taken it.
func (v *Resolver) find(ctx context.Context, pool string, e *Ended) (Answer, []string) {
	ctx, cancel := context.WithTimeout(ctx, verifyTime)
	defer cancel()
	keys := e.Claim.Keys()
	if keys[0] == "" {
		all, err := v.Stock.AppKeys(ctx, pool)
		if err != nil || len(all) == 0 {
			return Answer{Verdict: Unknown}, nil
		}
		keys = all
	}
	s := searched(ctx, v.Market, keys, &e.Child.Order)
	switch {
	case len(s.on) > 0:
		return s.answer, append(s.on, s.mute...)
	case len(s.mute) > 0:
		return Answer{Verdict: Unknown}, keys
	}
	return s.answer, keys
}

// settle ends the claim. One that the ledger has lost is made again where the order may be, since it counts; of one
// that does not exist nothing is held.
func (v *Resolver) settle(ctx context.Context, f *file, e *Ended, keys []string, part Part, size Size) (err error) {
	if e.Claim.State == "" && part.State == ClaimRefused {
		part.At = f.result.DecidedAt
		e.Claim.State, e.Claim.Part = part.State, part
		return nil
	}
	if e.Claim.State == "" {
		claim, err := v.Ledger.Draw(ctx, &Draw{
			Pool: f.asked.Pool, Payer: f.asked.Payer, Reference: e.Claim.Reference, Fingerprint: Fingerprint(&f.asked.Request),
			Size: SizeOf(e.Child.Order.Lines), Owner: "resolver", Attempt: max(f.result.Attempt, 1), OnKeys: keys,
		})
		if err != nil {
			return err
		}
		e.Claim = *claim
	}
	return v.Ledger.Settle(ctx, &e.Claim, &part, size)
}

// conclude publishes what the request's orders come to and gives the result on record.
func (v *Resolver) conclude(ctx context.Context, f *file, note string) (Result, error) {
	result := Gather(&f.asked.Request, f.ended)
	result.Reason, result.Resolves = joined(result.Reason, note), true
	if err := v.Outbox.Publish(ctx, result); err != nil {
		return Result{}, err
	}
	onRecord, found, err := v.Record.Result(ctx, result.Tenant, result.RequestID)
	if err != nil || !found {
		return result, err
	}
	return onRecord, nil
}
