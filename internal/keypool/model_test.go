package keypool

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"autopurchase/worker"
)

// model is what the pool should do, written down once more without Redis, lists or running totals.
type model struct {
	keys   []*modelKey
	claims map[string]*modelClaim
}

type modelKey struct {
	limit, used, held int64
	benched           bool
}

type modelClaim struct {
	state   worker.ClaimState
	key     *modelKey
	n       int64
	attempt int
	looking bool // the holder was told to look it up, and never to send it
}

func (k *modelKey) usable() bool { return !k.benched && k.used < k.limit }

// draw says which turn or code a draw ends in. Which key takes it is the pool's choice; that it fits is not.
func (m *model) draw(reference string, n int64, attempt int) string {
	c := m.claims[reference]
	switch {
	case c == nil || c.state == drawn && attempt >= c.attempt && (c.key == nil || c.key.benched):
		return m.fresh(c, n)
	case c.state.Settled():
		return "done"
	case attempt < c.attempt:
		return "fenced"
	case c.state == sent && (c.looking || attempt > c.attempt):
		return "look_up"
	}
	return "send"
}

func (m *model) fresh(old *modelClaim, n int64) string {
	largest := int64(0)
	for _, k := range m.keys {
		held := k.held
		if old != nil && old.key == k {
			held -= old.n
		}
		if largest = max(largest, k.limit); k.usable() && k.used+held+n <= k.limit {
			return "send"
		}
	}
	if n > largest {
		return "too_large"
	}
	return "no_key"
}

// drew takes over what the pool did.
func (m *model) drew(reference string, claim worker.Claim, attempt int) {
	c := m.claims[reference]
	if c == nil {
		c = &modelClaim{}
		m.claims[reference] = c
	}
	if c.state != sent && !c.state.Settled() || c.state == "" {
		m.release(c)
		c.key, c.n = m.keys[index(claim.AppKey)], claim.Products
		c.key.held += c.n
	}
	if !c.state.Settled() || c.state == "" {
		c.state, c.attempt, c.looking = sent, attempt, claim.Turn == worker.TurnLookUp
	}
}

func (m *model) release(c *modelClaim) {
	if c.key != nil {
		c.key.held -= c.n
	}
	c.key, c.n = nil, 0
}

func index(appKey string) int {
	n, _ := strconv.Atoi(appKey[1:])
	return n - 1
}

// settle says what the claim is afterwards, and books it.
func (m *model) settle(c *modelClaim, state worker.ClaimState, size int64, mine bool) string {
	fact := state == placed || state == partial || state == refused
	switch {
	case c.state == unknownOne && fact, c.state == sent && (mine || fact), c.state == drawn && mine:
	case c.state.Settled():
		return string(c.state)
	default:
		return "fenced"
	}
	if c.state = state; state == unknownOne {
		return string(state)
	}
	if key, n := c.key, c.n; key != nil {
		m.release(c)
		if state == placed || state == partial {
			key.used += min(size, n)
		}
	}
	return string(state)
}

// histories tells the pools of all histories apart.
var histories atomic.Int64

func TestRandomHistoriesAgreeWithTheModel(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		rapid.Check(t, func(r *rapid.T) {
			h := &walk{t: t, r: r, p: p, pool: fmt.Sprint("h", histories.Add(1)), model: model{claims: map[string]*modelClaim{}}}
			settings(t, p, h.pool, Settings{Count: CountLines, Width: rapid.IntRange(1, 3).Draw(r, "width")})
			for i := range rapid.IntRange(1, 4).Draw(r, "keys") {
				k := &modelKey{limit: rapid.Int64Range(1, 30).Draw(r, "limit")}
				h.model.keys = append(h.model.keys, k)
				add(t, p, Key{Pool: h.pool, AppKey: fmt.Sprint("k", i+1), Limit: k.limit})
			}
			steps := map[string]func(){"draw": h.draw, "settle": h.settle, "unsend": h.unsend, "bench": h.bench, "restore": h.restore}
			for range 16 {
				step := rapid.SampledFrom([]string{"draw", "draw", "draw", "settle", "settle", "unsend", "bench", "restore"}).Draw(r, "step")
				steps[step]()
			}
			h.compare()
		})
	})
}

// walk is one random history on a pool and on its model.
type walk struct {
	t     *testing.T
	r     *rapid.T
	p     *Pool
	pool  string
	model model
}

func (h *walk) claim() (reference string, claim worker.Claim, attempt int) {
	reference = rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(h.r, "reference")
	attempt = rapid.IntRange(1, 4).Draw(h.r, "attempt")
	return reference, worker.Claim{Pool: h.pool, Reference: reference, Owner: fmt.Sprint("owner-", attempt), Attempt: attempt}, attempt
}

func (h *walk) want(step, got, want string, err error) {
	h.t.Helper()
	if err != nil {
		got = string(worker.AsTrouble(err).Code)
	}
	if got != want {
		h.r.Fatalf("%s: %s (%v), the model says %s", step, got, err, want)
	}
}

func (h *walk) draw() {
	reference, _, attempt := h.claim()
	n := rapid.Int64Range(1, 12).Draw(h.r, "n")
	want := h.model.draw(reference, n, attempt)
	claim, err := h.p.Draw(h.t.Context(), by(order1(h.pool, reference, n), fmt.Sprint("owner-", attempt), attempt))
	h.want("draw "+reference, string(claim.Turn), want, err)
	switch c := h.model.claims[reference]; {
	case err == nil:
		h.model.drew(reference, claim, attempt)
	case c != nil && c.state == drawn && (want == "no_key" || want == "too_large"):
		h.model.release(c)
	}
}

func (h *walk) settle() {
	reference, claim, attempt := h.claim()
	state := rapid.SampledFrom([]worker.ClaimState{placed, partial, refused, cancelled, unknownOne}).Draw(h.r, "state")
	size := rapid.Int64Range(0, 12).Draw(h.r, "size")
	settled, err := h.p.Settle(h.t.Context(), claim, worker.Part{State: state}, worker.Size{Lines: size})
	want := "lost"
	if c := h.model.claims[reference]; c != nil {
		want = h.model.settle(c, state, size, c.attempt == attempt)
	}
	h.want("settle "+reference, string(settled.State), want, err)
}

func (h *walk) unsend() {
	reference, claim, attempt := h.claim()
	why := rapid.SampledFrom([]worker.Code{worker.CodeThrottled, worker.CodeKeyUnknown}).Draw(h.r, "why")
	err := h.p.Unsend(h.t.Context(), claim, why)
	c := h.model.claims[reference]
	switch {
	case c == nil:
		h.want("unsend "+reference, "", "lost", err)
	case c.state.Settled() || c.attempt != attempt:
		h.want("unsend "+reference, "", "fenced", err)
	default:
		h.want("unsend "+reference, "", "", err)
		if c.state = drawn; why == worker.CodeKeyUnknown && c.key != nil {
			c.key.benched = true
			h.model.release(c)
		}
	}
}

func (h *walk) key() (string, *modelKey) {
	i := rapid.IntRange(1, len(h.model.keys)).Draw(h.r, "key")
	return fmt.Sprint("k", i), h.model.keys[i-1]
}

func (h *walk) bench() {
	appKey, k := h.key()
	_, err := h.p.Bench(h.t.Context(), h.pool, appKey, "", "")
	h.want("bench", "", "", err)
	k.benched = k.used < k.limit
}

func (h *walk) restore() {
	appKey, k := h.key()
	_, err := h.p.Restore(h.t.Context(), h.pool, appKey, "")
	h.want("restore", "", "", err)
	k.benched = false
}

// compare looks at every key, at the running total, and at how many keys are active.
func (h *walk) compare() {
	active, usable := 0, 0
	for i, got := range keys(h.t, h.p, h.pool) {
		k := h.model.keys[i]
		if got.Used != k.used || got.Held != k.held || (got.Left > 0) != (k.usable() && k.used+k.held < k.limit) {
			h.r.Fatalf("%+v, the model has %+v", got, *k)
		}
		if got.State == StateActive {
			active++
		}
		if k.usable() {
			usable++
		}
	}
	if active == 0 && usable > 0 {
		h.r.Fatalf("none of %d usable keys is active", usable)
	}
	wantBooks(h.t, h.p, h.pool)
}
