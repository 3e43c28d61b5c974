package bus

import (
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

const (
	pullExpires   = 30 * time.Second
	pullHeartbeat = 5 * time.Second // the server's sign of life for an open pull; two missing ones count as a lost pull

	// leastExpires bounds how often a pull for several is begun anew.
	leastExpires = time.Second
)

// What a message without data says about a pull, in its header "Status". Anything else means that the pull is gone.
const (
	statusHeartbeat  = "100"
	statusNoMessages = "404"
	statusExpired    = "408"
)

// lane is one lane as the inbox sees it, with the one pull request that it has open, if any. The broker forgets a pull whose
// subscription is gone. Where messages are known to wait, it is for as many as there are takers, and over as soon as there are no
// more; where none are, it is for one or for some that may come, and stays open: it listens.
type lane struct {
	name  worker.Lane
	share float64
	sub   *nats.Subscription

	asked     int       // messages of the open pull that have not come
	listening bool      // the open pull is for what may come
	sent      time.Time // when it was sent
	heard     time.Time // when the broker last said anything
	last      uint64    // the consumer's own number of its last delivery
	waits     int       // messages at the broker that are not asked for, as far as is known
	more      int       // are about to be asked for
	given     float64   // how many messages it was given takers for, by its share

	since   time.Time // when the consumer was made
	known   time.Time // when that was last asked, by the broker's clock
	ackWait time.Duration
}

// lanes are all lanes, as none has been asked.
func (b *Bus) lanes() (all []*lane) {
	for _, name := range worker.Lanes() {
		all = append(all, &lane{name: name, share: float64(b.config.LaneShares.Of(name))})
	}
	return all
}

// ask sends a pull request for n messages, listening or at once.
func (l *lane) ask(b *Bus, n int, listen bool) error {
	body := make([]byte, 0, 96)
	body = strconv.AppendInt(append(body, `{"batch":`...), int64(n), 10)
	if listen {
		expires := l.expires(n)
		body = strconv.AppendInt(append(body, `,"expires":`...), int64(expires), 10)
		body = strconv.AppendInt(append(body, `,"idle_heartbeat":`...), int64(min(pullHeartbeat, expires/2)), 10)
	} else {
		body = append(body, `,"no_wait":true`...)
	}
	sent := time.Now()
	if err := b.conn.PublishRequest(api("CONSUMER.MSG.NEXT", b.stored(StreamRequests))+"."+laneConsumer(l.name), l.sub.Subject, append(body, '}')); err != nil {
		return err
	}
	l.asked, l.listening, l.sent, l.heard = n, listen, sent, sent
	if !listen {
		l.waits -= n
	}
	return nil
}

// expires is for how long a pull for n listens. What comes late on one counts as delivered when it was sent (see receipt.sole): one that
// goes on for several is begun anew before that matters.
func (l *lane) expires(n int) time.Duration {
	if n == 1 {
		return pullExpires
	}
	return min(pullExpires, max(leastExpires, l.ackWait/4))
}

// over ends the open pull: no more messages come of it, since there are none.
func (l *lane) over() { l.asked, l.waits = 0, 0 }

// came counts a message of the open pull, and gives what it was delivered behind: zero if that is not known, as of one that comes late on
// an earlier subscription. What waits behind those that a listening pull still takes is not known: others may take it.
func (l *lane) came(sub *nats.Subscription, meta *nats.MsgMetadata) (pulled time.Time) {
	if sub != l.sub {
		return time.Time{}
	}
	if l.asked > 0 {
		pulled = l.sent
		l.asked--
	}
	l.waits = max(0, int(min(meta.NumPending, 1<<30))-l.asked)
	if l.asked > 0 && l.listening {
		l.waits = 0
	}
	return pulled
}

// renew goes on with a new subscription, which knows nothing of the pull that was open.
func (l *lane) renew(sub *nats.Subscription) (old *nats.Subscription) {
	if !l.listening {
		l.waits += l.asked
	}
	old, l.sub, l.asked = l.sub, sub, 0
	return old
}

// know notes since when the consumer has been counting deliveries.
func (l *lane) know(info *jetstream.ConsumerInfo) {
	l.known, l.ackWait = info.TimeStamp, info.Config.AckWait
	if !l.since.Equal(info.Created) {
		l.since, l.last = info.Created, 0
	}
}

// anew takes the consumer's own number of a delivery and says whether its count has begun again. Those of an earlier
// subscription say nothing: they may come late.
func (l *lane) anew(sub *nats.Subscription, number uint64) bool {
	if sub != l.sub {
		return false
	}
	before := l.last
	l.last = number
	return number <= before
}

// lost says whether the broker has been silent for too long about a pull that it should have.
func (l *lane) lost() bool {
	return l.asked > 0 && time.Since(l.heard) > 2*pullHeartbeat+time.Second
}

// pullStatus reads what a message says about a pull. A request has no status.
func pullStatus(msg *nats.Msg) string {
	if len(msg.Data) > 0 || len(msg.Header) == 0 {
		return ""
	}
	return msg.Header.Get("Status")
}
