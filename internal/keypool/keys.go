package keypool

// Every name in Redis is made here and handed to the scripts; no script makes one up. All names of a pool share a hash tag and
// so a slot of a cluster.

const (
	prefix = "autopurchase:"

	// poolNames is the set of all pools. It lies outside the pools' slots and is only a list of where to look.
	poolNames = prefix + "pools"
	// apartNames is the same of those that are kept apart.
	apartNames = prefix + "apart"
)

// names are the Redis keys of one pool.
type names struct {
	of string // pool

	// pool is a hash of the pool's own fields (born, new, count, width, low, strategy, recipients, preview, version, left, alarm, size,
	// seq) and of those of each key (<app_key>.limit .used .held .state .account .alipay .source .version .cleared .onboard .print).
	// No app key has a dot. See table.
	pool   string
	known  string // list: all app keys in the order in which they came
	active string // list: app keys that are drawn first
	ready  string // list: app keys that take over, in order
	events string // list: the outbox, oldest first
	claim  string // what a claim's name begins with; its reference follows
	steps  string // hash: how the steps of the keys' onboarding stand
	sealed string // hash: what only relays can read, and their turns; see sealed.go
	change string // what the name of an administrator's change begins with; the id of its message follows
}

// tagOf is what all names of a pool begin with.
func tagOf(pool string) string { return prefix + "{" + pool + "}:" }

// namesOf makes them as pieces of one text.
func namesOf(pool string) names {
	tag := tagOf(pool)
	text := tag + "pool" + tag + "known" + tag + "active" + tag + "ready" + tag + "events" + tag + "claim:" +
		tag + "steps" + tag + "sealed" + tag + "change:"
	next := func(name string) (whole string) {
		n := len(tag) + len(name)
		whole, text = text[:n], text[n:]
		return whole
	}
	return names{
		of:     pool,
		pool:   next("pool"),
		known:  next("known"),
		active: next("active"),
		ready:  next("ready"),
		events: next("events"),
		claim:  next("claim:"),
		steps:  next("steps"),
		sealed: next("sealed"),
		change: next("change:"),
	}
}

// names are those of a pool, which are mostly those that the step before this one needed.
func (p *Pool) names(pool string) *names {
	if latest := p.latest.Load(); latest != nil && latest.of == pool {
		return latest
	}
	n := namesOf(pool)
	p.latest.Store(&n)
	return &n
}

// keys are KEYS[1] to KEYS[5] of every script, and then the claims it is about.
func (n names) keys(references ...string) []string {
	keys := make([]string, 5, 5+len(references))
	keys[0], keys[1], keys[2], keys[3], keys[4] = n.pool, n.known, n.active, n.ready, n.events
	for _, reference := range references {
		keys = append(keys, n.claim+reference)
	}
	return keys
}

// changes are KEYS of a script about changes that were made.
func (n names) changes(ids ...string) []string {
	keys := n.keys()
	for _, id := range ids {
		keys = append(keys, n.change+id)
	}
	return keys
}

// table is a field of the pool's hash that is only there to be longer than 64 bytes, hash-max-listpack-value: Redis then keeps the hash as
// a table, where a field is found at once. In the list that a hash of few fields is otherwise, each is searched for from the beginning, and
// one that is not there to the very end.
const table = "'table', string.rep('-', 65)"
