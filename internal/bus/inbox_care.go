package bus

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
)

// minBeat keeps a consumer with a tiny AckWait, which somebody else made, from eating the processor.
const minBeat = 10 * time.Millisecond

// run cares for the inbox until the bus is closed: it shows the broker that deliveries are being worked on, withdraws pulls
// that nobody waits for, and gets on after the broker was away.
func (in *Inbox) run(beatEvery time.Duration) {
	changes := in.bus.conn.StatusChanged(nats.CONNECTED, nats.RECONNECTING)
	defer in.bus.conn.RemoveStatusListener(changes)
	beat, check := time.NewTicker(max(beatEvery, minBeat)), time.NewTicker(repairEvery)
	defer beat.Stop()
	defer check.Stop()
	for {
		in.turned.Store(int64(uptime()))
		select {
		case <-in.bus.closing.Done():
			in.end()
			in.dismiss(0)
			return
		case <-beat.C:
			in.beat()
		case <-changes:
			in.mutex.Lock()
			in.breakDown() // a new connection knows nothing of the old one's pulls
			in.mutex.Unlock()
		case <-in.wake:
			in.withdraw()
		case <-check.C:
			in.dismiss(repairEvery)
			in.check()
		}
	}
}

// beat tells the broker that every open delivery is still being worked on.
func (in *Inbox) beat() {
	in.mutex.Lock()
	replies := make([]string, 0, len(in.open))
	for r := range in.open {
		replies = append(replies, r.reply)
	}
	in.mutex.Unlock()
	for _, reply := range replies {
		if in.bus.conn.Publish(reply, ackProgress) != nil {
			return // not connected: there is another beat before AckWait ends
		}
	}
}

// expect notes that somebody is coming.
func (in *Inbox) expect() {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	if in.closed {
		return
	}
	in.coming = append(in.coming, time.Now())
	in.pull()
}

// dismiss expects nobody any more who has been coming for so long, and gives back what had come for them.
func (in *Inbox) dismiss(after time.Duration) {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	for len(in.coming) > 0 && time.Since(in.coming[0]) >= after {
		in.coming = in.coming[1:]
	}
	for last := len(in.early) - 1; last >= len(in.coming) && time.Since(in.early[last].at) >= after/2; last-- {
		in.giveBack(in.early[last].receipt)
		in.early = in.early[:last]
	}
	if in.pull(); in.deserted() {
		in.poke()
	}
}

// withdraw drops pulls that nobody waits for, once all that want to leave have left.
func (in *Inbox) withdraw() {
	in.mutex.Lock()
	excess := in.broken.IsZero() && (in.tooMany() || in.deserted())
	in.mutex.Unlock()
	if excess && in.renew() != nil {
		in.mutex.Lock()
		in.breakDown()
		in.mutex.Unlock()
	}
	if !excess {
		in.check()
	}
}

// check repairs what is broken.
func (in *Inbox) check() {
	in.mutex.Lock()
	for _, l := range in.lanes {
		if in.broken.IsZero() && l.lost() {
			in.broken = time.Now()
		}
	}
	since := in.broken
	in.mutex.Unlock()
	if since.IsZero() || !in.bus.conn.IsConnected() {
		in.impatient(since, nats.ErrDisconnected)
		return
	}
	if err := in.repair(); err != nil {
		in.impatient(since, err)
	}
}

// repair makes sure that the consumers are there and starts pulling anew.
func (in *Inbox) repair() error {
	ctx, cancel := context.WithTimeout(in.bus.closing, attemptTimeout)
	defer cancel()
	for _, l := range in.lanes {
		info, err := in.bus.ensureConsumer(ctx, l.name)
		if err != nil {
			return err
		}
		in.mutex.Lock()
		l.know(info)
		in.mutex.Unlock()
	}
	return in.renew()
}

// renew starts new subscriptions, pulls for all who wait, and lets the old ones run dry: what the broker sent there is still
// handed out.
func (in *Inbox) renew() error {
	subs := make([]*nats.Subscription, 0, len(in.lanes))
	for _, l := range in.lanes {
		sub, err := in.bus.conn.Subscribe(in.bus.conn.NewInbox(), func(msg *nats.Msg) { in.arrived(l, msg) })
		if err != nil {
			return err // the connection is closed, and its subscriptions with it
		}
		subs = append(subs, sub)
	}
	in.mutex.Lock()
	for i, l := range in.lanes {
		subs[i] = l.renew(subs[i])
	}
	in.broken, in.renewed = time.Time{}, time.Now()
	in.pull()
	in.mutex.Unlock()
	for _, old := range subs {
		if old != nil {
			_ = old.Drain() // it fails only when the connection is gone, and the subscription with it
		}
	}
	return nil
}

// impatient tells all who wait that the broker is out of reach, once that has lasted.
func (in *Inbox) impatient(since time.Time, err error) {
	if !since.IsZero() && time.Since(since) > patience {
		in.mutex.Lock()
		in.tellAll(err)
		in.mutex.Unlock()
	}
}

// end tells all who wait that it is over. What is still on its way goes back to the broker while the connection drains.
func (in *Inbox) end() {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	in.closed = true
	in.tellAll(errClosed)
}

// tellAll sends all who wait away. The mutex must be held.
func (in *Inbox) tellAll(err error) {
	for front := in.waiting.Front(); front != nil; front = in.waiting.Front() {
		in.waiting.Remove(front)
		front.Value.(*caller).told <- told{err: natsDown("wait for a request", err)}
	}
}
