package worker

import (
	"context"
	"time"
)

// Inbox hands out purchase requests.
type Inbox interface {
	// Next waits for a request. No more are asked for than callers wait, or have said that they come soon (Receipt.Soon): as long as
	// ctx lives they are expected to call again. It returns ctx's cause when ctx ends, and a *Trouble with
	// CodeNATSDown when the broker is out of reach.
	Next(ctx context.Context) (*Delivery, error)
	// Ready returns nil while requests can be had, else a *Trouble with CodeNATSDown.
	Ready(ctx context.Context) error
}

// Delivery is one delivery of one request. The inbox keeps it from being delivered again until it is settled by Receipt.
type Delivery struct {
	Subject   string
	Tenant    string // "" when the subject has no readable tenant
	Ref       string // "" when the subject has no readable ref
	Lane      Lane   // that the subject is in
	Body      []byte
	Sequence  uint64    // in the stream of requests
	Attempt   int       // from 1; never 1 for what may have been delivered before, whatever became of the broker's count
	Published time.Time // by the broker's clock
	Receipt   Receipt

	// Context has what travels with the request, such as the trace that it is part of, and no end of its own. nil: nothing does.
	Context context.Context
	// Replay is which replay of a dead letter it is, from 1, and Letter that letter's sequence; both are 0 for a request as it was
	// published. A replay goes on where the deliveries before it ended: its attempts follow theirs, and it is never a first one.
	Replay int
	Letter uint64
	// Due says that it was held and its time has come; see Shelf.
	Due bool
	// Sole says whether nobody else can have been handed the request until now. nil: that is never known.
	Sole func() bool
}

// Receipt settles a delivery at the broker, exactly once, by Ack, Nak or Term.
type Receipt interface {
	// Soon says that whoever took the request is about to come for the next one: what is left to do takes but a moment.
	Soon()
	// Ack ends the request for good and returns once the broker has it on record.
	Ack(ctx context.Context) error
	// Nak hands it back, to be delivered again after the delay.
	Nak(ctx context.Context, after time.Duration) error
	// Term ends a request that can never be handled, with the reason for the broker's advisory.
	Term(ctx context.Context, reason string) error
}

// Ledger is the key pool. Every call is one atomic step that changes nothing when it is repeated. Errors are *Trouble:
// CodeRedisDown when the step may or may not have happened and may be repeated.
type Ledger interface {
	// Draw finds room for an order on one key, marks the claim sent and returns it; or returns the claim as an earlier
	// delivery left it, with the turn that follows. Troubles: CodeConflict, CodeTooLarge, CodeNoPool, CodeNoKey,
	// CodeFenced, CodeLost; and the code with which the last account turned the order down, once none is left that may pay for it.
	Draw(ctx context.Context, draw *Draw) (*Claim, error)
	// Settle ends a claim: counts what was ordered and gives back the rest. size is what was ordered. The first outcome
	// stands: the claim holds it afterwards, and is left as it was in case of an error. ClaimUnknown may be settled again by a fact.
	// Trouble: CodeFenced when a later delivery owns the claim and part is no fact (ClaimUnknown, ClaimCancelled).
	Settle(ctx context.Context, claim *Claim, part *Part, size Size) error
	// Unsend takes back the mark of an order that provably was not made: the claim is drawn again and keeps its key and its
	// hold. With a code whose route leads to another key the hold is given back, the key is benched or its account stopped, and the
	// claim keeps who turned it down; see Route. With CodeAbsent the order was sent and is surely absent, which the claim counts
	// (Claim.Resent). Trouble: CodeFenced.
	Unsend(ctx context.Context, claim *Claim, why Code) error
}

// Stock tells what a pool can still take, so that a paused worker sees when to go on.
type Stock interface {
	// Left returns how many products the pool's usable keys can still take. Troubles: CodeNoPool, CodeRedisDown.
	Left(ctx context.Context, pool string) (int64, error)
	// Pools lists the pools that there are. Trouble: CodeRedisDown.
	Pools(ctx context.Context) ([]string, error)
	// Room returns the size of the largest order that one usable key of the payer can take now. Trouble: CodeRedisDown.
	Room(ctx context.Context, pool string, payer Payer) (Size, error)
	// Shares gives the weights by which the pool's tenants share its room where several wait; one that is not named weighs 1.
	// Trouble: CodeRedisDown.
	Shares(ctx context.Context, pool string) (map[string]int, error)
	// AppKeys lists the keys of a pool that may hold an order of ours, in any state but removed.
	AppKeys(ctx context.Context, pool string) ([]string, error)
}

// Rules remembers what sellers ask for.
type Rules interface {
	// Learn remembers that a seller takes business accounts only: the next order for its goods is drawn from such a key.
	// Trouble: CodeRedisDown.
	Learn(ctx context.Context, pool, seller, why string) error
}

// Market is 1688 as the worker sees it: the order channel. All three end by ctx's deadline or their own, whichever is sooner. An order is
// not kept, and an answer is its caller's.
type Market interface {
	// Place sends one order, once. A lost connection or a missed deadline is Unknown, never an error.
	Place(ctx context.Context, order *Order) *Answer
	// Find looks an order up by its reference with the key that would have placed it: Placed, Absent, NotAttempted or
	// Unknown (the look-up itself failed).
	Find(ctx context.Context, appKey, reference string) *Answer
	// Ready returns nil while the channel is open, else a *Trouble with CodeChannelDown.
	Ready(ctx context.Context) error
}

// Previewer prices orders at 1688 without making them.
type Previewer interface {
	// Preview says what 1688 would make of an order, asked with its app key: Placed, with Answer.Quotes and no order, Refused, or
	// NotAttempted or Unknown, which are the same here: it changes nothing at 1688 and may be repeated.
	Preview(ctx context.Context, order *Order) *Answer
}

// Undrawn is the key pool for orders that are looked at before anything is drawn for them. Every call is one atomic step that
// changes nothing when it is repeated. Errors are *Trouble with CodeRedisDown, and what is named below.
type Undrawn interface {
	// Refuse ends an order for which nothing was drawn: a claim without a key says how, ClaimRefused or ClaimCancelled, so that
	// no later delivery orders it. If it has ended meanwhile, that claim comes back. Troubles: CodeConflict, CodeFenced when it
	// was drawn for meanwhile.
	Refuse(ctx context.Context, draw Draw, part Part) (Claim, error)
	// Leave says that a key turned down an order for which nothing was drawn: the key is benched or its account stopped as the code's
	// route says, and the next draw of the order goes elsewhere.
	Leave(ctx context.Context, draw Draw, appKey string, why Code) error
}

// Outbox publishes what a request ended in. Errors are *Trouble with CodeNATSDown: it may be stored all the same, and the
// call may be repeated.
type Outbox interface {
	// Publish stores the result and returns once the broker has it on record. The first result of a request stands; one
	// that resolves an unknown, or comes of a replay where the first is Provisional, is stored behind it; a repeat changes
	// nothing. Trouble: CodeFenced when an unknown one is on record of which this one knows more, but which it does not resolve.
	Publish(ctx context.Context, result Result) error
	// Bury stores a dead letter and returns once the broker has it on record.
	Bury(ctx context.Context, letter DeadLetter) error
	// Decided says whether a result is stored for the request, but for a Provisional one.
	Decided(ctx context.Context, tenant, ref string) (bool, error)
}
