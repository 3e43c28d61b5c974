package keypool

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"autopurchase/worker"
)

// TestRandomHistoriesAgreeWithTheModel walks through 10,000 random histories, each on a pool of its own: several processes draw,
// settle, take back and vanish, say everything twice or too late, while keys come, go and run dry. After every step the pool is
// what the model says.
func TestRandomHistoriesAgreeWithTheModel(t *testing.T) {
	walk(t, walkers, open(t, quickRedis(t)), (*walked).live)
}

// TestRandomHistoriesInProcess does so on the Redis that needs no server, with fewer of them.
func TestRandomHistoriesInProcess(t *testing.T) {
	fewer(t, 3)
	walk(t, 1, open(t, "redis://"+miniredis.RunT(t).Addr()), (*walked).live)
}

func (h *walked) live(r *rapid.T) {
	h.begin(r)
	r.Repeat(map[string]func(*rapid.T){
		"draw": h.draw, "crash": h.crash, "settle": h.settle, "withdraw": h.withdraw, "answer late": h.answerLate, "unsend": h.unsend,
		"find": h.find, "repeat": h.repeat, "administer": h.administer, "": h.check,
	})
	h.end(r)
}

// walked is one random history on a pool and on its model.
type walked struct {
	p       *Pool
	pool    string
	model   model
	granted map[string]holder // who was told to send, and has not taken it back
	infos   []Info            // the keys as they were last seen
	last    func(*rapid.T)    // the last step
	bound   bool              // the last step bound a fact, or counted one on several keys, whatever their room
	serial  int
}

var references = rapid.SampledFrom([]string{"a", "b", "c"})

func (h *walked) begin(r *rapid.T) {
	h.model = model{claims: map[string]*modelClaim{}}
	h.configure(r, rapid.IntRange(1, 3).Draw(r, "width"), rapid.Int64Range(0, 15).Draw(r, "low"))
	for i := range rapid.IntRange(1, 3).Draw(r, "keys") {
		h.add(r, fmt.Sprint("k", i+1), rapid.Int64Range(1, 20).Draw(r, "limit"), []string{"", "buyer-7", "buyer-7"}[i])
		h.model.tell()
	}
}

// step runs a step and keeps it, to be run again.
func (h *walked) step(r *rapid.T, do func(*rapid.T)) {
	h.last, h.bound = do, false
	do(r)
	h.model.tell()
}

// says compares how a step ended on the pool and in the model, and writes it down.
func (h *walked) says(r *rapid.T, step, got string, err error, want string) {
	if err != nil {
		got = string(worker.AsTrouble(err).Code)
	}
	r.Logf("%s: %s", step, got)
	if got != want {
		r.Fatalf("%s: %q, the model says %q", step, got, want)
	}
}

// repeat runs the last step once more, as after a lost reply: nothing changes.
func (h *walked) repeat(r *rapid.T) {
	if h.last == nil {
		r.SkipNow()
	}
	before := h.infos
	h.last(r)
	h.look(r)
	if diff := gocmp.Diff(before, h.infos); diff != "" {
		r.Fatalf("a repeat changed the keys: %s", diff)
	}
}

// draw is any draw by anybody.
func (h *walked) draw(r *rapid.T) {
	h.drawn(r, references.Draw(r, "reference"), anybody(r), "")
}

// crash lets the holder of a claim vanish; the request is delivered again.
func (h *walked) crash(r *rapid.T) {
	reference := references.Draw(r, "reference")
	c := h.model.claims[reference]
	if c == nil {
		r.SkipNow()
	}
	h.drawn(r, reference, holder{"x", c.by.attempt + 1}, "")
}

// find binds a claim to the keys under which its order was found.
func (h *walked) find(r *rapid.T) {
	keys := []string{h.anyKey(r).name}
	for range rapid.IntRange(0, 2).Draw(r, "more") {
		if k := h.anyKey(r).name; !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	h.drawn(r, references.Draw(r, "reference"), anybody(r), strings.Join(keys, " "))
}

func anybody(r *rapid.T) holder {
	return holder{rapid.SampledFrom([]string{"x", "y"}).Draw(r, "owner"), rapid.IntRange(1, 4).Draw(r, "attempt")}
}

func (h *walked) anyKey(r *rapid.T) *modelKey {
	return h.model.keys[rapid.IntRange(1, len(h.model.keys)).Draw(r, "key")-1]
}

func (h *walked) drawn(r *rapid.T, reference string, me holder, onKey string) {
	d := by(order1(h.pool, reference, rapid.Int64Range(1, 12).Draw(r, "n")), me.owner, me.attempt)
	d.OnKeys = strings.Fields(onKey)
	rare := rapid.IntRange(0, 15).Draw(r, "rare")
	old := rare == 1
	switch rare {
	case 1:
		d = older(d)
	case 2:
		d.Fingerprint = "another meaning"
	case 3:
		d.Account = "buyer-7"
	case 4, 5:
		d.Stays = true
	}
	name := fmt.Sprintf("draw %s for %d by %v", reference, d.Size.Lines, me)
	if onKey != "" {
		name += " on " + onKey
	}
	h.step(r, func(r *rapid.T) {
		before := modelClaim{}
		if c := h.model.claims[reference]; c != nil {
			before = *c
		}
		drawn, err := h.p.Draw(r.Context(), &d)
		claim := worker.Claim{}
		if err == nil {
			claim = *drawn
		}
		want := h.model.draw(d, old, claim.AppKey)
		h.says(r, name, string(claim.Turn), err, want)
		if err != nil {
			return
		}
		if h.bound = onKey != ""; want == "send" {
			h.grants(r, d, me, claim, before)
		}
		h.model.claims[reference].agrees(r, claim)
	})
}

// grants checks what makes a double order or an over-drawn key, without asking the model: one delivery at a time is told to send,
// and a fresh hold fits on its key, which is an active one if any of these has room.
func (h *walked) grants(r *rapid.T, d worker.Draw, me holder, claim worker.Claim, before modelClaim) {
	if other, granted := h.granted[d.Reference]; granted && other != me {
		r.Fatalf("%v is told to send what %v was told to send", me, other)
	}
	h.granted[d.Reference] = me
	if before.key != nil && before.key.name == claim.AppKey {
		return
	}
	for _, k := range h.infos {
		if before.isAlsoOn(k.AppKey) { // it gave that back
			k.Held -= before.n
			k = k.withLeft()
		}
		fits := k.Left >= claim.Products && (d.Account == "" || k.Account == d.Account)
		if k.AppKey == claim.AppKey && !fits {
			r.Fatalf("%d products do not fit on %+v", claim.Products, k)
		}
		near := before.isNear(h.model.key(claim.AppKey)) && !before.isNear(h.model.key(k.AppKey))
		if ready := h.seen(claim.AppKey).State == StateReady; ready && !near && fits && !before.shuns(d, h.model.key(k.AppKey)) && k.State == StateActive {
			r.Fatalf("%d products went to the ready %s past %+v", claim.Products, claim.AppKey, k)
		}
	}
}

// isNear says whether a key is of the account that the claim was on.
func (c modelClaim) isNear(k *modelKey) bool {
	home := cmp.Or(c.key, c.home)
	return home != nil && k.isOf(home)
}

// shuns says whether the claim must not go to a key.
func (c modelClaim) shuns(d worker.Draw, k *modelKey) bool {
	return slices.ContainsFunc(c.gone, k.isOf) || d.Stays && cmp.Or(c.key, c.home) != nil && !c.isNear(k)
}

func (h *walked) seen(appKey string) Info {
	i := slices.IndexFunc(h.infos, func(k Info) bool { return k.AppKey == appKey })
	return h.infos[i]
}

// settle is the holder's word on how its order ended, or anybody's.
func (h *walked) settle(r *rapid.T) {
	reference := references.Draw(r, "reference")
	c := h.model.claims[reference]
	if c == nil {
		r.SkipNow()
	}
	h.settled(r, reference, c.by)
}

// answerLate is the word of somebody who may have been overtaken.
func (h *walked) answerLate(r *rapid.T) {
	h.settled(r, references.Draw(r, "reference"), anybody(r))
}

func (h *walked) settled(r *rapid.T, reference string, me holder) {
	h.serial++
	part := worker.Part{
		State:  rapid.SampledFrom([]worker.ClaimState{placed, unknownOne, partial, refused, cancelled}).Draw(r, "state"),
		Reason: fmt.Sprint("word ", h.serial),
	}
	size := rapid.Int64Range(0, 12).Draw(r, "size")
	claim := worker.Claim{Pool: h.pool, Reference: reference, Owner: me.owner, Attempt: me.attempt}
	h.step(r, func(r *rapid.T) {
		settled := claim
		err := h.p.Settle(r.Context(), &settled, &part, worker.Size{Lines: size})
		want := h.model.settle(reference, me, part, size)
		h.says(r, fmt.Sprintf("settle %s by %v as %s with %d", reference, me, part.State, size), string(settled.State), err, want)
		if err == nil {
			h.model.claims[reference].agrees(r, settled)
		} else if !reflect.DeepEqual(settled, claim) {
			r.Fatalf("settling failed and left %+v of %+v", settled, claim)
		}
	})
}

// withdraw is a person's wish that an order is not bought. What somebody was told to send is not cancelled.
func (h *walked) withdraw(r *rapid.T) {
	reference := references.Draw(r, "reference")
	h.serial++
	w := worker.Withdrawal{Pool: h.pool, Reference: reference, Fingerprint: "print",
		Published: time.Now().Add(time.Hour), Reason: fmt.Sprint("word ", h.serial)}
	rare := rapid.IntRange(0, 9).Draw(r, "rare")
	switch rare {
	case 1:
		w.Published = time.UnixMilli(1)
	case 2:
		w.Fingerprint = "another meaning"
	}
	h.step(r, func(r *rapid.T) {
		claim, err := h.p.Withdraw(r.Context(), w)
		h.says(r, fmt.Sprintf("withdraw %s, %d", reference, rare), string(claim.Turn), err, h.model.withdraw(w, rare == 1))
		if err != nil {
			return
		}
		if other, granted := h.granted[reference]; granted && claim.Part.Reason == w.Reason {
			r.Fatalf("%s is cancelled, and %v was told to send it", reference, other)
		}
		h.model.claims[reference].agrees(r, claim)
	})
}

// unsend takes a claim back: mostly its holder.
func (h *walked) unsend(r *rapid.T) {
	reference, me := references.Draw(r, "reference"), anybody(r)
	if c := h.model.claims[reference]; c != nil && rapid.IntRange(0, 3).Draw(r, "stranger") < 3 {
		me = c.by
	}
	why := rapid.SampledFrom([]worker.Code{worker.CodeThrottled, worker.CodeKeyUnknown, worker.CodeRiskControl, worker.CodeAbsent}).Draw(r, "why")
	claim := worker.Claim{Pool: h.pool, Reference: reference, Owner: me.owner, Attempt: me.attempt}
	h.step(r, func(r *rapid.T) {
		err := h.p.Unsend(r.Context(), &claim, why)
		h.says(r, fmt.Sprintf("unsend %s by %v: %s", reference, me, why), "", err, h.model.unsend(reference, me, why))
		if err == nil {
			delete(h.granted, reference)
		}
	})
}

// administer is what people and probes do to a pool.
func (h *walked) administer(r *rapid.T) {
	switch rapid.SampledFrom([]string{"alter", "alter", "add", "change", "configure"}).Draw(r, "what") {
	case "alter":
		k, verb := h.anyKey(r), rapid.SampledFrom([]Verb{Bench, Restore, Revive, Disable, Enable, Reset}).Draw(r, "verb")
		h.step(r, func(r *rapid.T) {
			_, err := h.p.Alter(r.Context(), h.pool, k.name, verb, Change{})
			h.says(r, string(verb)+" "+k.name, "", err, k.alter(verb))
		})
	case "add":
		name, limit := fmt.Sprint("k", len(h.model.keys)+1), rapid.Int64Range(1, 20).Draw(r, "limit")
		account := rapid.SampledFrom([]string{"", "buyer-7"}).Draw(r, "account")
		h.step(r, func(r *rapid.T) { h.add(r, name, limit, account) })
	case "change":
		k, limit := h.anyKey(r), rapid.Int64Range(1, 20).Draw(r, "limit")
		h.step(r, func(r *rapid.T) { h.add(r, k.name, limit, k.account) })
	case "configure":
		width, low := rapid.IntRange(1, 3).Draw(r, "width"), rapid.Int64Range(0, 15).Draw(r, "low")
		h.step(r, func(r *rapid.T) { h.configure(r, width, low) })
	}
}

func (h *walked) add(r *rapid.T, name string, limit int64, account string) {
	_, err := h.p.Add(r.Context(), Key{Pool: h.pool, AppKey: name, Limit: limit, Account: account})
	h.model.add(name, limit, account)
	h.says(r, fmt.Sprintf("add %s for %d", name, limit), "", err, "")
}

func (h *walked) configure(r *rapid.T, width int, low int64) {
	err := h.p.Configure(r.Context(), h.pool, Settings{Count: CountLines, Width: width, Low: low}, Change{})
	h.model.width, h.model.low = width, low
	h.says(r, fmt.Sprintf("configure width %d, low %d", width, low), "", err, "")
}

// lookScript reads all keys and what the pool says is left. It travels with the steps of other histories.
var lookScript = newOpenScript(`return {'ok', 0, redis.call('LRANGE', KEYS[2], 0, -1), redis.call('HGETALL', KEYS[1])}`)

func (h *walked) look(r *rapid.T) (left string) {
	reply, err := h.p.run(r.Context(), h.pool, lookScript, namesOf(h.pool).keys())
	if err != nil {
		r.Fatal(err)
	}
	known, fields, books := reply.values[2].([]any), reply.values[3].([]any), map[string]string{}
	for i := 0; i < len(fields); i += 2 {
		books[fields[i].(string)] = fields[i+1].(string)
	}
	h.infos = h.infos[:0:0]
	for _, appKey := range known {
		info, ok := infoFrom(books, "", appKey.(string))
		if !ok {
			r.Fatalf("a counter of %s is missing", appKey)
		}
		h.infos = append(h.infos, info)
	}
	return books["left"]
}

// check compares the pool with the model, and looks at what must hold whatever the model says.
func (h *walked) check(r *rapid.T) {
	before := h.infos
	left := h.look(r)
	active, sum := 0, int64(0)
	for i, got := range h.infos {
		k := h.model.keys[i]
		if over := got.Used + got.Held; over > got.Limit && !h.bound && i < len(before) && over > before[i].Used+before[i].Held {
			r.Fatalf("over-drawn: %+v, before %+v", got, before[i])
		}
		if got.AppKey != k.name || got.Limit != k.limit || got.Used != k.used || got.Held != k.held || got.Left != k.left() ||
			(got.State == StateBenched) != k.benched || (got.State == StateStopped) != k.stopped || (got.State == StateDisabled) != k.disabled || (got.State == StateSpent) != k.spent {
			r.Fatalf("%+v, the model has %+v", got, *k)
		}
		if got.State == StateActive {
			active++
		}
		sum += got.Left
	}
	if fmt.Sprint(sum) != left {
		r.Fatalf("the pool says %s left, its keys say %d", left, sum)
	}
	if want := h.model.active(); active != want {
		r.Fatalf("%d keys are active, want %d", active, want)
	}
}

// end compares what the journal is told with what it should be.
func (h *walked) end(r *rapid.T) {
	events, err := h.p.Events(r.Context(), h.pool)
	if err != nil {
		r.Fatal(err)
	}
	var told []string
	for _, e := range events {
		switch e.Kind {
		case worker.EventLow, worker.EventExhausted:
			told = append(told, string(e.Kind))
		case worker.EventSpent:
			told = append(told, "spent "+e.AppKey)
		}
	}
	if !slices.Equal(told, h.model.told) {
		r.Fatalf("told %q, the model says %q", told, h.model.told)
	}
}
