package keypool

import (
	"reflect"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"autopurchase/worker"
)

// model is what a pool should do, written down once more without Redis, lists or running totals. Each of its steps says how the
// pool's step has to end, a turn, a state or a code, and books it.
type model struct {
	width  int
	low    int64
	keys   []*modelKey
	claims map[string]*modelClaim
	ended  []*modelKey // the keys of the last claim that ended, which become spent in this order
	told   []string    // what the journal should have been told of
	level  int         // the last alarm: 1 low, 2 exhausted
}

type modelKey struct {
	name, account     string
	limit, used, held int64
	benched, spent    bool
	disabled, stopped bool
}

// modelClaim is a claim. One that moved off its key and found no other has none.
type modelClaim struct {
	state   worker.ClaimState
	key     *modelKey
	also    []*modelKey // the other keys that it is on
	home    *modelKey   // which it left last
	gone    []*modelKey // whose accounts turned it down
	n       int64
	by      holder
	print   string
	looking bool // the holder was told to look it up, and never to send it
	resent  int
	reason  string // what was said about the outcome that stands
}

// holder is a delivery of a request in one process.
type holder struct {
	owner   string
	attempt int
}

func (k *modelKey) usable() bool { return !k.benched && !k.stopped && !k.disabled && k.used < k.limit }

func (k *modelKey) left() int64 {
	if !k.usable() {
		return 0
	}
	return max(0, k.limit-k.used-k.held)
}

// resting says whether it starts no order whatever room it has.
func (k *modelKey) resting() bool { return k.benched || k.stopped || k.disabled }

// isOf says whether it is of another key's account.
func (k *modelKey) isOf(other *modelKey) bool {
	return k == other || k.account != "" && k.account == other.account
}

func (m *model) key(name string) *modelKey {
	for _, k := range m.keys {
		if k.name == name {
			return k
		}
	}
	return nil
}

// draw ends in a turn or a code. old says that the request is older than the pool. Of a fresh hold the key is the pool's choice.
func (m *model) draw(d worker.Draw, old bool, choice string) string {
	c, me := m.claims[d.Reference], holder{d.Owner, d.Attempt}
	switch {
	case c == nil && old && d.Attempt > 1 && len(d.OnKeys) == 0:
		return "lost"
	case c == nil:
	case c.print != d.Fingerprint:
		return "conflict"
	case c.state.Settled():
		return "done"
	case c.by != me && me.attempt <= c.by.attempt:
		return "fenced"
	case c.state == sent && (len(d.OnKeys) == 0 || c.isOn(m.narrow(c, d))):
		return c.resume(me, len(d.OnKeys) > 0)
	case len(d.OnKeys) == 0 && c.key != nil && !c.key.resting():
		c.state, c.by, c.looking = sent, me, false
		return "send"
	}
	on := m.narrow(c, d)
	if c != nil && c.key != nil {
		c.home = c.key
	}
	m.release(c)
	if len(on) > 0 {
		m.bind(d, me, on...)
		return "look_up"
	}
	if code := m.room(c, d); code != "" {
		if c == nil && old && code == "no_key" { // or its next delivery would be taken for lost
			m.claims[d.Reference] = &modelClaim{state: drawn, by: me, print: d.Fingerprint}
		}
		return code
	}
	m.bind(d, me, choice)
	return "send"
}

// resume draws a claim that was sent: who marked it so has not sent it yet, anybody else has to look it up.
func (c *modelClaim) resume(me holder, bound bool) string {
	if c.by == me && !bound && !c.looking {
		return "send"
	}
	if c.by != me {
		c.by, c.looking = me, true
	}
	return "look_up"
}

// room says why no key takes an order, "" if one does.
func (m *model) room(c *modelClaim, d worker.Draw) string {
	largest := int64(-1)
	for _, k := range m.keys {
		if d.Account != "" && d.Account != k.account || c != nil && (slices.ContainsFunc(c.gone, k.isOf) || d.Stays && c.home != nil && !k.isOf(c.home)) {
			continue
		}
		if largest = max(largest, k.limit); k.usable() && k.used+k.held+d.Size.Lines <= k.limit {
			return ""
		}
	}
	if largest >= 0 && d.Size.Lines > largest {
		return "too_large"
	}
	if c != nil && largest < 0 && len(c.gone) > 0 {
		return "risk_control"
	}
	return "no_key"
}

func (m *model) bind(d worker.Draw, me holder, keys ...string) {
	c := m.claims[d.Reference]
	if c == nil {
		c = &modelClaim{print: d.Fingerprint}
		m.claims[d.Reference] = c
	}
	c.state, c.by, c.looking = sent, me, len(d.OnKeys) > 0
	c.key, c.n = m.key(keys[0]), d.Size.Lines
	for _, also := range keys[1:] {
		c.also = append(c.also, m.key(also))
	}
	for _, k := range c.keys() {
		k.held += c.n
	}
}

func (m *model) release(c *modelClaim) {
	if c != nil && c.key != nil {
		for _, k := range c.keys() {
			k.held -= c.n
		}
		c.key, c.also, c.n = nil, nil, 0
	}
}

func (c *modelClaim) keys() []*modelKey {
	if c == nil || c.key == nil {
		return nil
	}
	return append([]*modelKey{c.key}, c.also...)
}

// narrow leaves of several keys on which an order was found those that its claim is on, or else those of its account, or all.
func (m *model) narrow(c *modelClaim, d worker.Draw) []string {
	var could []string
	for _, name := range d.OnKeys {
		if on := c.keys(); slices.Contains(on, m.key(name)) || len(on) == 0 && d.Account != "" && d.Account == m.key(name).account {
			could = append(could, name)
		}
	}
	if len(d.OnKeys) < 2 || len(could) == 0 {
		return d.OnKeys
	}
	return could
}

// isAlsoOn says whether this is one of its other keys.
func (c *modelClaim) isAlsoOn(name string) bool {
	return slices.ContainsFunc(c.also, func(k *modelKey) bool { return k.name == name })
}

// isOn says whether the claim is on these keys and no other.
func (c *modelClaim) isOn(names []string) bool {
	on := strings.Fields(c.on())
	return len(names) == len(on) && slices.Contains(on, names[0])
}

// settle ends in the state of the claim or a code. The first outcome stands, but an unknown one gives way to a fact.
func (m *model) settle(reference string, me holder, part worker.Part, size int64) string {
	c := m.claims[reference]
	fact := part.State == placed || part.State == partial || part.State == refused
	switch {
	case c == nil:
		return "lost"
	case c.state == unknownOne && !fact, c.state.Settled() && c.state != unknownOne:
		return string(c.state)
	case !c.state.Settled() && c.by != me && (c.state == drawn || !fact):
		return "fenced"
	}
	c.state, c.reason = part.State, part.Reason
	if n := c.n; c.key != nil && c.state != unknownOne {
		if c.n = 0; c.state == placed || c.state == partial {
			c.n = min(size, n)
		}
		m.ended = c.keys()
		for _, k := range m.ended {
			k.held, k.used = k.held-n, k.used+c.n
			k.benched = k.benched && k.used < k.limit
		}
	}
	return string(c.state)
}

// withdraw ends in a turn or a code.
func (m *model) withdraw(w worker.Withdrawal, old bool) string {
	c := m.claims[w.Reference]
	switch {
	case c == nil && old:
		return "lost"
	case c == nil:
		m.claims[w.Reference] = &modelClaim{state: cancelled, print: w.Fingerprint, reason: w.Reason}
		return "done"
	case c.print != w.Fingerprint:
		return "conflict"
	case c.state == sent:
		return "look_up"
	case c.state == drawn:
		m.release(c)
		c.state, c.reason = cancelled, w.Reason
	}
	return "done"
}

// unsend ends in "" or a code.
func (m *model) unsend(reference string, me holder, why worker.Code) string {
	c := m.claims[reference]
	switch {
	case c == nil:
		return "lost"
	case c.state.Settled() || c.by != me:
		return "fenced"
	case why == worker.CodeAbsent && c.state == sent:
		c.resent++
	case why == worker.CodeKeyUnknown && c.key != nil:
		c.key.bench()
		c.home = c.key
		m.release(c)
	case why == worker.CodeRiskControl && c.key != nil:
		m.stop(c.key)
		c.home, c.gone = c.key, append(c.gone, c.key)
		m.release(c)
	}
	c.state = drawn
	return ""
}

func (k *modelKey) bench() { k.benched = k.used < k.limit && !k.disabled && !k.stopped }

// stop takes an account's keys out, but for those that a person took out.
func (m *model) stop(account *modelKey) {
	for _, k := range m.keys {
		if k.isOf(account) && !k.disabled {
			k.benched, k.spent, k.stopped = false, false, true
		}
	}
}

// alter ends in "", or in what any error that is no trouble counts as.
func (k *modelKey) alter(verb Verb) string {
	switch {
	case k.disabled && (verb == Bench || verb == Restore):
		return "internal"
	case k.stopped && verb == Bench, (k.benched || k.stopped) && verb == Enable:
		return "internal"
	case verb == Bench:
		k.bench()
	case verb == Revive:
		k.benched = false
	case verb == Restore:
		k.spent = k.spent || k.stopped && k.used >= k.limit
		k.benched, k.stopped = false, false
	case verb == Disable:
		k.benched, k.stopped, k.spent, k.disabled = false, false, false, true
	case verb == Enable:
		k.disabled, k.spent = false, k.used >= k.limit
	case verb == Reset:
		k.used = 0
	}
	return ""
}

// add adds a key or changes it.
func (m *model) add(name string, limit int64, account string) {
	k := m.key(name)
	if k == nil {
		k = &modelKey{name: name}
		m.keys = append(m.keys, k)
	}
	k.limit, k.account = limit, account
	k.benched = k.benched && k.used < k.limit
}

// tell notes what every step may leave behind: a key that is spent now, and an alarm once until the pool has recovered.
func (m *model) tell() {
	left := int64(0)
	for _, k := range slices.Concat(m.ended, m.keys) {
		spent := k.used >= k.limit && !k.disabled && !k.stopped
		if spent && !k.spent {
			m.told = append(m.told, "spent "+k.name)
		}
		k.spent = spent
	}
	for _, k := range m.keys {
		left += k.left()
	}
	level := 0
	switch {
	case left == 0:
		level = 2
	case left < m.low:
		level = 1
	}
	if level > m.level {
		m.told = append(m.told, []string{"", "low", "exhausted"}[level])
	}
	if level == 0 || level > m.level {
		m.level = level
	}
}

// active is how many keys are drawn first.
func (m *model) active() int {
	usable := 0
	for _, k := range m.keys {
		if k.usable() {
			usable++
		}
	}
	return min(m.width, usable)
}

// on names the claim's keys.
func (c *modelClaim) on() string {
	var names []string
	for _, k := range c.keys() {
		names = append(names, k.name)
	}
	return strings.Join(names, " ")
}

// agrees compares a claim that a step returned. What it says is the same each time, or no history could be made shorter.
func (c *modelClaim) agrees(r *rapid.T, got worker.Claim) {
	on := words(got.AppKey, got.AlsoOn)
	said := modelClaim{state: got.State, n: got.Products, by: holder{got.Owner, got.Attempt}, print: c.print, looking: c.looking,
		resent: got.Resent, reason: got.Part.Reason}
	want, keys := *c, c.on()
	want.key, want.also, want.home, want.gone = nil, nil, nil, nil
	if c.state.Settled() {
		said.by, on = c.by, keys
	}
	if !reflect.DeepEqual(said, want) || on != keys {
		r.Fatalf("%+v on %s, the model has %+v on %s", said, on, want, keys)
	}
}
