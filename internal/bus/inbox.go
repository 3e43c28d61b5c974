package bus

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"autopurchase/worker"
)

const (
	// patience is how long callers wait through a gap before they are told that the broker is out of reach.
	patience = 2 * time.Second
	// repairEvery is how often a broken inbox tries to get on.
	repairEvery = 250 * time.Millisecond
)

// errClosed is what Next returns after Close.
var errClosed = errors.New("the bus is closed")

// errBroken is why requests cannot be pulled now.
var errBroken = errors.New("the broker is out of reach, or does not give requests")

// Inbox hands out the requests of the workers' consumers, lane by lane as their shares say. It is safe for concurrent use.
//
// Callers queue up, and only for those who wait, or are about to, is a message ever asked for:
//
//	Next ─► waiting ─► pulls of (waiting + coming − asked for) ─► broker
//	          ▲                                                     │
//	          └──── the one who waits longest ◄─────────── message ─┘
//
// Each message says how many wait behind it in its lane, so that it is known where there are some; the other lanes are listened to, each
// for one message. So at most two may come more than there are takers, which are kept for the next ones.
//
// Coming is who said so (Soon) while the context still lives that it got its last request under: it has little left to do about that
// one, and its next pull travels meanwhile, much as in JetStream's own +NXT. A message that is there first is kept for it; one that
// nobody comes for is back at the broker within half a second.
//
// A lane has one pull open, so that the more callers there are, the more of them the next one serves. A caller that leaves takes its
// pull along: the pulls are withdrawn and sent again for those who still wait.
type Inbox struct {
	bus *Bus

	mutex   sync.Mutex
	waiting list.List   // of *caller, the longest waiting first
	coming  []time.Time // since when somebody is, the longest first
	early   []fetched   // for whom nobody waits yet
	lanes   []*lane
	latest  *lane     // from which a message came last
	broken  time.Time // since when nothing can be pulled; zero while all is well
	renewed time.Time // when the pulls were last started anew
	closed  bool
	open    map[*receipt]struct{} // deliveries that nobody has settled yet

	wake   chan struct{}
	turned atomic.Int64 // when run last came by, nanoseconds of uptime
}

// caller is one waiting Next. It is told exactly once.
type caller struct {
	ctx  context.Context
	told chan told
}

// fetched is a message that has come.
type fetched struct {
	delivery *worker.Delivery
	receipt  *receipt
	at       time.Time
}

type told struct {
	delivery *worker.Delivery
	err      error
}

// Inbox opens the inbox, which lives until the bus is closed. It returns an error when the streams were not provisioned.
func (b *Bus) Inbox(ctx context.Context) (*Inbox, error) {
	in := &Inbox{bus: b, lanes: b.lanes(), open: map[*receipt]struct{}{}, wake: make(chan struct{}, 1)}
	beat := time.Duration(math.MaxInt64)
	for _, l := range in.lanes {
		info, err := b.ensureConsumer(ctx, l.name)
		if err != nil {
			return nil, err
		}
		l.know(info)
		beat = min(beat, l.ackWait/3)
	}
	in.turned.Store(int64(uptime()))
	if err := in.renew(); err != nil {
		return nil, err
	}
	b.running.Go(func() { in.run(beat) })
	return in, nil
}

// Next waits for a request; see worker.Inbox. A delivery that comes in the moment in which ctx ends is returned, not lost.
func (in *Inbox) Next(ctx context.Context) (*worker.Delivery, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	c := &caller{ctx: ctx, told: make(chan told, 1)}
	place, err := in.enter(c)
	if err != nil {
		return nil, err
	}
	select {
	case got := <-c.told:
		return got.delivery, got.err
	case <-ctx.Done():
	}
	in.leave(place)
	select {
	case got := <-c.told:
		return got.delivery, got.err
	default:
		return nil, context.Cause(ctx)
	}
}

// stuckAfter is how long the inbox may not have cared for itself. It does four times a second, and a question to the broker ends
// after seconds.
const stuckAfter = time.Minute

// Alive returns nil unless the inbox is stuck: then nothing but a new process brings it back. While the broker is away it lives.
func (in *Inbox) Alive(context.Context) error {
	if silent := uptime() - time.Duration(in.turned.Load()); silent > stuckAfter && in.bus.closing.Err() == nil {
		return fmt.Errorf("the inbox has been stuck for %v", silent.Round(time.Second))
	}
	return nil
}

// Ready returns nil while requests can be pulled; see worker.Inbox.
func (in *Inbox) Ready(context.Context) error {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	switch {
	case in.closed:
		return natsDown("inbox", errClosed)
	case !in.broken.IsZero():
		return natsDown("inbox", errBroken)
	}
	return nil
}

// enter queues a caller, or hands it at once what has come for it.
func (in *Inbox) enter(c *caller) (*list.Element, error) {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	if in.closed {
		return nil, natsDown("inbox", errClosed)
	}
	place := in.waiting.PushBack(c)
	if n := len(in.coming); n > 0 {
		in.coming = in.coming[:n-1] // whoever does not come is the first to have waited for long
	}
	if len(in.early) > 0 {
		in.hand(in.early[0])
		in.early = in.early[1:]
	}
	in.pull()
	return place, nil
}

// leave takes a caller out of the queue; one that has been told is no longer in it.
func (in *Inbox) leave(place *list.Element) {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	in.waiting.Remove(place)
	if in.pull(); in.deserted() {
		in.poke()
	}
}

// wanted is how many messages there are takers for. The mutex must be held.
func (in *Inbox) wanted() int { return in.waiting.Len() + len(in.coming) - len(in.early) }

// pull asks for what is missing, or has withdrawn what is too much. The mutex must be held.
func (in *Inbox) pull() {
	wanted := in.wanted()
	switch {
	case !in.broken.IsZero():
		return
	case in.tooMany():
		in.poke()
		return
	case wanted <= 0:
		return
	}
	err := in.shareOut(wanted - in.promised())
	if err == nil {
		err = in.listen()
	}
	if err != nil {
		in.breakDown()
	}
}

// tooMany says whether more may come than there are takers and, beside the first, lanes to listen to. The mutex must be held.
func (in *Inbox) tooMany() bool { return in.asked() > max(0, in.wanted())+len(in.lanes)-1 }

// deserted says whether something may come although nobody is here, nor at work and about to come again. The mutex must be held.
func (in *Inbox) deserted() bool {
	if in.asked() == 0 || in.wanted() > 0 {
		return false
	}
	for r := range in.open {
		if r.taker.Err() == nil {
			return false
		}
	}
	return true
}

// arrived takes what the broker sent for a lane: a message, or word about a pull. It runs in the subscription's goroutine.
func (in *Inbox) arrived(l *lane, msg *nats.Msg) {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	current := msg.Sub == l.sub
	if current {
		l.heard = time.Now()
	}
	switch status := pullStatus(msg); {
	case status == "":
		in.latest = l
		in.take(l, msg)
	case status == statusHeartbeat || !current:
		return
	case status == statusNoMessages || status == statusExpired:
		l.over()
	default: // the server goes away, the consumer was removed or moves, nobody answers
		in.breakDown()
	}
	in.pull()
}

// take reads a message and finds it a taker, or keeps it for one.
func (in *Inbox) take(l *lane, msg *nats.Msg) {
	delivery, r, err := in.delivery(l, msg)
	switch {
	case err != nil:
		in.bus.alarm("a message of the requests' stream cannot be handled: " + err.Error())
	case in.closed:
		in.giveBack(r)
	case in.waiting.Len() > 0:
		in.hand(fetched{delivery: delivery, receipt: r})
	default:
		in.early = append(in.early, fetched{delivery, r, time.Now()})
	}
}

// hand gives a message to the caller that waits longest.
func (in *Inbox) hand(a fetched) {
	front := in.waiting.Front()
	in.waiting.Remove(front)
	in.open[a.receipt] = struct{}{}
	c := front.Value.(*caller)
	a.receipt.taker = c.ctx
	c.told <- told{delivery: a.delivery}
}

// giveBack hands a message that nobody takes back to the broker: if that is lost, it delivers again after AckWait. It takes nothing of
// its lane's share. The mutex must be held.
func (in *Inbox) giveBack(r *receipt) {
	r.lane.given -= 1 / r.lane.share
	_ = in.bus.conn.Publish(r.reply, nakAfter(0))
}

// breakDown stops pulling until it is repaired: at once, unless that was tried a moment ago. The mutex must be held.
func (in *Inbox) breakDown() {
	if in.broken.IsZero() {
		in.broken = time.Now()
	}
	if time.Since(in.renewed) > repairEvery {
		in.poke()
	}
}

func (in *Inbox) poke() {
	select {
	case in.wake <- struct{}{}:
	default: // it is awake
	}
}
