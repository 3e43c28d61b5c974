package bus

import (
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	pullExpires   = 30 * time.Second
	pullHeartbeat = 5 * time.Second // the server's sign of life for an open pull; two missing ones count as a lost pull
)

// What a message without data says about a pull, in its header "Status". Anything else means that the pull is gone.
const (
	statusHeartbeat  = "100"
	statusNoMessages = "404"
	statusExpired    = "408"
)

const nextRequest = apiPrefix + "CONSUMER.MSG.NEXT." + StreamRequests + "." + ConsumerWorker

// pulls are the pull requests that are open on one subscription. The broker forgets a pull whose subscription is gone, so
// that dropping the subscription withdraws them all.
type pulls struct {
	sub   *nats.Subscription
	asked int       // messages asked for that have not come
	open  []pull    // how these were asked for, the oldest first
	heard time.Time // when the broker last said anything
	last  uint64    // the consumer's own number of its last delivery
}

// pull is how many messages of one pull request have not come, and when it was sent.
type pull struct {
	sent time.Time
	n    int
}

// oldest is before a message that comes now was delivered: the broker answers pulls in order. Zero if that is not known.
func (p *pulls) oldest(sub *nats.Subscription) time.Time {
	if sub != p.sub || len(p.open) == 0 {
		return time.Time{}
	}
	return p.open[0].sent
}

// ask sends one pull request for n messages.
func (p *pulls) ask(b *Bus, n int) error {
	body := make([]byte, 0, 96)
	body = strconv.AppendInt(append(body, `{"batch":`...), int64(n), 10)
	body = strconv.AppendInt(append(body, `,"expires":`...), int64(pullExpires), 10)
	body = strconv.AppendInt(append(body, `,"idle_heartbeat":`...), int64(pullHeartbeat), 10)
	sent := time.Now()
	if err := b.conn.PublishRequest(nextRequest, p.sub.Subject, append(body, '}')); err != nil {
		return err
	}
	if p.asked == 0 {
		p.heard = sent
	}
	p.asked += n
	p.open = append(p.open, pull{sent, n})
	return nil
}

// done counts messages that have come, or will not come any more. Those of an earlier subscription were written off with it.
func (p *pulls) done(sub *nats.Subscription, n int) {
	if sub != p.sub {
		return
	}
	p.asked = max(0, p.asked-n)
	for n > 0 && len(p.open) > 0 {
		came := min(n, p.open[0].n)
		if n, p.open[0].n = n-came, p.open[0].n-came; p.open[0].n == 0 {
			p.open = p.open[1:]
		}
	}
}

// anew takes the consumer's own number of a delivery and says whether its count has begun again. Those of an earlier
// subscription say nothing: they may come late.
func (p *pulls) anew(sub *nats.Subscription, number uint64) bool {
	if sub != p.sub {
		return false
	}
	before := p.last
	p.last = number
	return number <= before
}

// lost says whether the broker has been silent for too long about pulls that it should have.
func (p *pulls) lost() bool {
	return p.asked > 0 && time.Since(p.heard) > 2*pullHeartbeat+time.Second
}

// pullStatus reads what a message says about a pull, and how many of its messages will not come. A request has no status.
func pullStatus(msg *nats.Msg) (status string, pending int) {
	if len(msg.Data) > 0 || len(msg.Header) == 0 || msg.Header.Get("Status") == "" {
		return "", 0
	}
	pending, _ = strconv.Atoi(msg.Header.Get("Nats-Pending-Messages"))
	return msg.Header.Get("Status"), pending
}
