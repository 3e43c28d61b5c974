package sim1688

import (
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"time"
)

// courier delivers pushes: at once to every session of their key, again while they are not confirmed, and keeps them for who
// asks later. Safe for concurrent use.
type courier struct {
	now    func() time.Time // the platform's clock, for what is written into a push
	resend time.Duration

	mu       sync.Mutex
	lastID   int64
	sessions map[string][]*session
	stored   map[string][]*push // unconfirmed, by key, oldest first
	byID     map[int64]*push
	again    []*push // to be sent again, in the order they fall due
}

// push is one event. Its wire form is made when it is sent, so that an event nobody listens to costs little.
type push struct {
	id       int64
	appKey   string
	member   string
	topic    string
	source   string
	data     json.RawMessage
	born     time.Time
	attempts int
	due      time.Time
	done     bool // confirmed or forgotten
}

const (
	pushAttempts = 3      // then a push waits to be asked for
	storedPushes = 20_000 // per key; beyond them the oldest is forgotten
)

func newCourier(cfg Config) *courier {
	c := &courier{now: cfg.Now, resend: cfg.Resend, sessions: map[string][]*session{}}
	c.reset()
	return c
}

// reset forgets every push. Sessions stay, and ids go on.
func (c *courier) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored, c.byID, c.again = map[string][]*push{}, map[int64]*push{}, nil
	c.lastID = max(c.lastID, firstID)
}

// publish sends an event and returns its id.
func (c *courier) publish(key Key, topic, source string, data json.RawMessage) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	p := &push{id: c.lastID, appKey: key.AppKey, member: key.Member, topic: topic, source: source, data: data, born: c.now()}
	c.byID[p.id] = p
	c.store(p)
	c.send(p)
	return strconv.FormatInt(p.id, 10)
}

func (c *courier) store(p *push) {
	list := c.stored[p.appKey]
	list = append(list, p)
	if len(list) > storedPushes {
		c.forget(list[0])
	}
	c.stored[p.appKey] = trim(list)
}

func (c *courier) forget(p *push) {
	p.done = true
	delete(c.byID, p.id)
}

// trim drops what is done from the front, where it gathers: events are confirmed about in their order.
func trim(list []*push) []*push {
	for len(list) > 0 && list[0].done {
		list = list[1:]
	}
	return list
}

// send tries once and plans the next attempt. An attempt nobody listens to counts too. The caller holds the lock.
func (c *courier) send(p *push) {
	if listening := c.sessions[p.appKey]; len(listening) > 0 {
		text := p.frame()
		for _, s := range listening {
			s.offer(text)
		}
	}
	if p.attempts++; p.attempts < pushAttempts {
		p.due = time.Now().Add(c.resend)
		c.again = append(c.again, p)
	}
}

// resendDue sends again what has fallen due. Every push waits equally long, so the list is in order.
func (c *courier) resendDue(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.again) > 0 && (c.again[0].done || !c.again[0].due.After(now)) {
		p := c.again[0]
		c.again = c.again[1:]
		if !p.done {
			c.send(p)
		}
	}
}

// confirm ends the life of a push of this key; an unknown id is passed over, as a repeated confirmation is.
func (c *courier) confirm(appKey string, id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.byID[id]; p != nil && p.appKey == appKey {
		c.forget(p)
		c.stored[appKey] = trim(c.stored[appKey])
	}
}

// unconfirmed returns copies of a key's pushes that nobody confirmed, oldest first.
func (c *courier) unconfirmed(appKey string) []push {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []push
	for _, p := range c.stored[appKey] {
		if !p.done {
			list = append(list, *p)
		}
	}
	return list
}

// join adds a session and acknowledges it in one step: no push precedes the acknowledgement, none after it is missed.
func (c *courier) join(appKey string, s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.offer(encode(serverFrame{Type: "CONNECT_ACK"}))
	c.sessions[appKey] = append(c.sessions[appKey], s)
}

func (c *courier) leave(appKey string, s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions[appKey] = slices.DeleteFunc(c.sessions[appKey], func(other *session) bool { return other == s })
}

func (c *courier) listeners(appKey string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sessions[appKey])
}

// orderChanged tells the sessions of the order's key what became of it. orderId is a number here, as in the official examples.
func (c *courier) orderChanged(e entry, topic string) {
	data := append(make([]byte, 0, 256), `{"orderId":`...)
	data = append(data, e.OrderID...)
	data = append(data, `,"currentStatus":`...)
	data = strconv.AppendQuote(data, e.Status)
	data = append(data, `,"msgSendTime":"`...)
	data = append(data, pushTime(c.now())...)
	data = append(data, `","buyerMemberId":`...)
	data = append(data, encode(e.Member)...)
	data = append(data, `,"sellerMemberId":`...)
	data = append(data, encode(e.seller)...)
	c.publish(Key{AppKey: e.AppKey, Member: e.Member}, topic, sourceReal, append(data, '}'))
}
