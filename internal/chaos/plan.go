package chaos

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Kind names what a fault does.
type Kind string

// redisFlush empties Redis.
const redisFlush Kind = "redis_flush"

// span is how long the faults of a kind last.
type span struct{ shortest, longest time.Duration }

const ms = time.Millisecond

// spans holds every kind. The broker's patience with a worker is 2 s and an order's look-up window 5 s, so lengths lie on
// both sides of the former and end before the latter.
var spans = map[Kind]span{
	"worker_kill": {50 * ms, 1500 * ms}, "worker_term": {50 * ms, 500 * ms}, "worker_stop": {200 * ms, 4500 * ms},
	"relay_kill": {50 * ms, 1500 * ms}, "relay_term": {50 * ms, 500 * ms}, "relay_stop": {200 * ms, 4000 * ms},
	"redis_kill": {50 * ms, 1500 * ms}, "redis_term": {50 * ms, 500 * ms},
	"nats_kill": {50 * ms, 1500 * ms}, "nats_term": {50 * ms, 500 * ms},
	"nats_cut": {1 * ms, 2500 * ms}, "nats_freeze": {200 * ms, 4500 * ms},
	"redis_cut": {1 * ms, 1500 * ms}, "redis_freeze": {200 * ms, 4500 * ms},
	"channel_cut": {1 * ms, 1500 * ms}, "channel_freeze": {200 * ms, 4500 * ms},
	"gateway_cut": {1 * ms, 1000 * ms}, "gateway_freeze": {200 * ms, 4000 * ms},
	"nats_slow": brief, "redis_slow": brief, "channel_slow": brief, "gateway_slow": brief,
	redisFlush: {1 * ms, 2 * ms},

	"sim_latency": brief, "sim_http_500": brief, "sim_http_502_html": brief, "sim_cut_before": brief, "sim_cut_after": brief,
	"sim_throttled": brief, "sim_auth_401": brief, "sim_refuse": brief, "sim_order_list": brief, "sim_partial": brief,
	"sim_text_success": brief, "sim_success_without_id": brief, "sim_empty_object": brief, "sim_id_beside_failure": brief,
	"sim_un_nested": brief, "sim_late_list": brief,
	simClock: {200 * ms, 4000 * ms},
}

var brief = span{200 * ms, 1500 * ms}

// every gives every kind, in an order that never changes.
func every() []Kind { return slices.Sorted(maps.Keys(spans)) }

// onSim gives the simulator's name of a fault that is the platform's.
func (k Kind) onSim() (string, bool) { return strings.CutPrefix(string(k), "sim_") }

// part splits the other kinds into what is struck and how.
func (k Kind) part() (part, how string) {
	part, how, _ = strings.Cut(string(k), "_")
	return part, how
}

// fault is one entry of a plan.
type fault struct {
	Due    int // how many requests have their result by then
	Kind   Kind
	Target uint64 // which one of the parts that the kind may strike, modulo their number
	For    time.Duration
}

// plan is a seed's faults, in the order in which they are due. Kinds come in turn, shuffled, so that a short plan has
// different ones.
func plan(c Config) []fault {
	random := rand.New(rand.NewPCG(c.Seed, 1))
	faults := make([]fault, c.Faults)
	var deck []Kind
	for i := range faults {
		if len(deck) == 0 {
			deck = slices.Clone(c.Kinds)
			random.Shuffle(len(deck), func(a, b int) { deck[a], deck[b] = deck[b], deck[a] })
		}
		lasts := spans[deck[0]]
		faults[i] = fault{
			Due:    c.Orders/20 + random.IntN(c.Orders*9/10),
			Kind:   deck[0],
			Target: random.Uint64(),
			For:    lasts.shortest + time.Duration(random.Int64N(int64(lasts.longest-lasts.shortest))),
		}
		deck = deck[1:]
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return a.Due - b.Due })
	return faults
}
