package keypool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"autopurchase/worker"
)

// TestBatchIsItsStepsOneByOne takes random steps on two equal pools, one by one and in full on the first, in batches on the second, of
// which most begin with quick ones: every reply and everything that is there afterwards is the same.
func TestBatchIsItsStepsOneByOne(t *testing.T) { alike(t, open(t, quickRedis(t))) }

// TestBatchInProcess does so on the Redis that needs no server.
func TestBatchInProcess(t *testing.T) {
	fewer(t, 3)
	alike(t, open(t, "redis://"+miniredis.RunT(t).Addr()))
}

func alike(t *testing.T, p *Pool) {
	rapid.Check(t, func(r *rapid.T) {
		one := twin{p, fmt.Sprint("one", histories.Add(1))}
		many := twin{p, strings.Replace(one.pool, "one", "many", 1)}
		found := anyPool(r)
		for _, pool := range []twin{one, many} {
			pool.begin(t, found)
		}
		for range rapid.IntRange(1, 9).Draw(r, "batches") {
			steps := rapid.SliceOfN(rapid.Custom(anyStep), 1, 6).Draw(r, "steps")
			var alone []reply
			for _, s := range steps {
				alone = append(alone, one.inFull(t, s))
			}
			together := many.exchange(t, steps...)
			for i, s := range steps {
				if diff := cmp.Diff(timeless(alone[i]), timeless(together[i]), cmp.AllowUnexported(reply{})); diff != "" {
					r.Fatalf("step %d, %v, replies otherwise in a batch: %s", i, s, diff)
				}
			}
			if diff := cmp.Diff(one.all(t), many.all(t)); diff != "" {
				r.Fatalf("%v leave something else in a batch: %s", steps, diff)
			}
		}
	})
}

// twin is one of the two pools.
type twin struct {
	*Pool
	pool string
}

// origin is how both pools begin.
type origin struct {
	settings Settings
	born     int64
	seller   string // takes business accounts only, "" for none
	limits   []int64
	lost     map[string]int64 // products of lost records, held on every key
}

func anyPool(r *rapid.T) origin {
	return origin{
		Settings{
			Count: rapid.SampledFrom([]string{CountLines, CountUnits}).Draw(r, "count"), Width: rapid.IntRange(1, 2).Draw(r, "width"),
			Low: rapid.Int64Range(0, 9).Draw(r, "low"), Strategy: rapid.SampledFrom([]string{StrategyFirst, StrategyFirst, StrategyEven}).Draw(r, "strategy"),
			Preview: rapid.SampledFrom([]worker.Previewing{"", "", worker.PreviewAlways}).Draw(r, "preview"),
			Tenants: rapid.SampledFrom([]map[string]int{nil, nil, {"acme": 1}, {"shop": 2}}).Draw(r, "tenants"),
		},
		rapid.SampledFrom([]int64{1, 1, 1, 1 << 51}).Draw(r, "born"),
		rapid.SampledFrom([]string{"", "", "hill"}).Draw(r, "seller"),
		rapid.SliceOfN(rapid.Int64Range(3, 9), 1, 4).Draw(r, "limits"),
		rapid.MapOfN(references, rapid.Int64Range(1, 3), 0, 1).Draw(r, "lost"),
	}
}

func (w twin) begin(t *testing.T, o origin) {
	settings(t, w.Pool, w.pool, o.settings)
	n := namesOf(w.pool)
	w.client.HSet(t.Context(), n.pool, "born", o.born)
	if o.seller != "" {
		w.client.HSet(t.Context(), n.pool, "rules", 1, "seller:"+o.seller, "business")
	}
	for i, limit := range o.limits {
		app := fmt.Sprint("k", i+1)
		add(t, w.Pool, Key{Pool: w.pool, AppKey: app, Limit: limit, Account: fmt.Sprint("account-", i%2), Alipay: []string{"personal", "business"}[i%2]})
		for _, products := range o.lost {
			w.client.HIncrBy(t.Context(), n.pool, app+".held", products)
			w.client.HIncrBy(t.Context(), n.pool, "left", -products)
		}
	}
	for reference, products := range o.lost {
		w.client.HSet(t.Context(), n.pool, lostPrefix+n.claim+reference, fmt.Sprint(products, " k1 k2 k3 k4"))
		w.client.HIncrBy(t.Context(), n.pool, "lost", 1)
	}
}

// taken1 is a step with all that it is told.
type taken1 struct {
	script    *script
	reference string
	args      []any
}

func (s taken1) String() string {
	return fmt.Sprint([]string{"", "draw ", "settle ", "unsend "}[s.script.place], s.reference, s.args)
}

func anyStep(r *rapid.T) taken1 {
	reference := references.Draw(r, "reference")
	owner, attempt := rapid.SampledFrom([]string{"x", "x", "x", "y"}).Draw(r, "owner"), rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(r, "attempt")
	size := rapid.IntRange(1, 4).Draw(r, "size")
	switch rapid.SampledFrom([]int{1, 1, 1, 2, 2, 3}).Draw(r, "kind") {
	case drawScript.place:
		account := rapid.SampledFrom([]string{"", "", "account-1"}).Draw(r, "account")
		on := rapid.SampledFrom([]string{"", "", "", "", "k1", "k1 k2"}).Draw(r, "on keys")
		alipay, seller := rapid.SampledFrom([]string{"", "", "business"}).Draw(r, "alipay"), rapid.SampledFrom([]string{"hill", "dale"}).Draw(r, "seller")
		preview := rapid.SampledFrom([]string{"", "never", "never", "always"}).Draw(r, "preview")
		fingerprint := rapid.SampledFrom([]string{"print", "print", "print", "other"}).Draw(r, "print")
		return taken1{drawScript, reference, curt(
			fingerprint, owner, attempt, int64(1)<<50, size, 2*size, seller, "acme", account, alipay, preview,
			rapid.SampledFrom([]string{"", "", "1"}).Draw(r, "stays"), on, "")}
	case settleScript.place:
		state := rapid.SampledFrom([]string{"placed", "placed", "partial", "refused", "unknown", "cancelled"}).Draw(r, "state")
		args := []any{owner, attempt, state, size, 2 * size, "{}"}
		for range rapid.IntRange(0, 2).Draw(r, "pieces") {
			args = append(args, "piece")
		}
		return taken1{settleScript, reference, args}
	default:
		why := rapid.SampledFrom([]worker.Code{"throttled", "absent", "unauthorized", "risk_control", "business_only"}).Draw(r, "why")
		return taken1{unsendScript, reference, []any{owner, attempt, string(why), routes[worker.Dispose(why).Next]}}
	}
}

// inFull makes one step with none of it left to quick.
func (w twin) inFull(t *testing.T, s taken1) reply {
	t.Helper()
	args := append([]any{"", s.script.place, len(s.args)}, s.args...)
	replies, err := inFull.Run(t.Context(), w.client, namesOf(w.pool).keys(s.reference), args...).Slice()
	if err != nil {
		t.Fatal(err)
	}
	return replyOf(replies[0])
}

var inFull = redis.NewScript(strings.Join(batch(""), ""))

// exchange sends steps over one lane at once.
func (w twin) exchange(t *testing.T, steps ...taken1) (replies []reply) {
	t.Helper()
	for _, a := range w.answers(t.Context(), steps...) {
		if a.err != nil {
			t.Fatal(a.err)
		}
		replies = append(replies, a.reply)
	}
	return replies
}

func (w twin) answers(ctx context.Context, steps ...taken1) (answers []answer) {
	var batch []*call
	for _, s := range steps {
		c := &call{ctx: ctx, script: s.script, keys: namesOf(w.pool).keys(s.reference), args: s.args, done: make(chan answer, 1)}
		batch = append(batch, c)
	}
	l := &lane{shard: w.shards.only}
	l.exchange(batch)
	l.drop()
	for _, c := range batch {
		answers = append(answers, <-c.done)
	}
	return answers
}

// timeless leaves the clock's readings out of a reply.
func timeless(r reply) reply {
	if words := strings.SplitN(r.brief, " ", 4); len(words) == 4 { // the third is when
		r.brief = words[0] + " " + words[1] + " " + words[3]
	}
	r.values = slices.Clone(r.values)
	for i, value := range r.values {
		if n, ok := value.(int64); ok && n > 1<<40 {
			r.values[i] = int64(1)
		}
	}
	return r
}

// all is everything that Redis holds of the pool but for the clock's readings.
func (w twin) all(t *testing.T) map[string]any {
	t.Helper()
	n := namesOf(w.pool)
	events, err := w.Events(t.Context(), w.pool)
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		events[i].Pool, events[i].At = "", time.Time{}
	}
	all := map[string]any{"events": events, "pool": w.client.HGetAll(t.Context(), n.pool).Val()}
	for _, list := range []string{n.active, n.ready, n.known} {
		all[strings.TrimPrefix(list, n.pool[:len(n.pool)-len("pool")])] = w.client.LRange(t.Context(), list, 0, -1).Val()
	}
	books := all["pool"].(map[string]string)
	for _, reference := range []string{"a", "b", "c"} {
		claim := w.client.HGetAll(t.Context(), n.claim+reference).Val()
		delete(claim, "t")
		delete(claim, "d")
		claim["kept for good"] = fmt.Sprint(w.client.TTL(t.Context(), n.claim+reference).Val() < 0)
		all["claim "+reference] = claim
		if record, ok := books[lostPrefix+n.claim+reference]; ok {
			delete(books, lostPrefix+n.claim+reference)
			books[lostPrefix+reference] = record
		}
	}
	return all
}

// TestBatchThatBreaksDownKeepsItsBooks: what the steps before have changed stays, and so does what is said of why.
func TestBatchThatBreaksDownKeepsItsBooks(t *testing.T) {
	singles(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		w := twin{p, "default"}
		if err := p.client.RPush(t.Context(), namesOf(w.pool).claim+"b", "no claim").Err(); err != nil {
			t.Fatal(err)
		}
		var steps []taken1
		for _, reference := range []string{"a", "b", "c"} {
			steps = append(steps, taken1{drawScript, reference, []any{"print", "x", 1, int64(1) << 50, 3, 3, "", ""}})
		}
		for i, a := range w.answers(t.Context(), steps...) {
			word, _, _ := strings.Cut(fmt.Sprint(a.err), " ")
			if word != "WRONGTYPE" && !strings.HasSuffix(t.Name(), "in-process") || a.err == nil {
				t.Errorf("step %d: %v, %v", i, a.reply, a.err)
			}
		}
		wantKey(t, p, w.pool, "k1", StateActive, 0, 3)
		wantBooks(t, p, w.pool)
		if claim, found, err := p.Claim(t.Context(), w.pool, "a"); !found || claim.State != worker.ClaimSent {
			t.Errorf("the first step left %+v, %t, %v", claim, found, err)
		}
	})
}
