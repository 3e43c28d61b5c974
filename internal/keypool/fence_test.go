package keypool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// errAway is what a history says that cannot be read: a pool with it is never verified anew.
var errAway = errors.New("the broker is away")

// unread is a pool that can be verified on no Redis but the one on which it was.
func unread(t *testing.T, url string) *Pool {
	return open(t, url, func(c *Config) { c.History, c.FlushEvery = &stored{err: errAway}, 20*time.Millisecond })
}

// rich is a pool with something for every step to change: claims in each state, a lost record, waiting events and a key on the
// bench, and a relay in its turn. It is verified on the Redis at url.
func rich(t *testing.T, url string) {
	t.Helper()
	history := &stored{flights: []worker.Request{under("lost", 3)}}
	p := open(t, url, func(c *Config) { c.History, c.FlushEvery = history, time.Hour })
	rebuild(t, p, history)
	settings(t, p, "default", Settings{Count: CountLines, Width: 1})
	for _, appKey := range []string{"k1", "k2", "k3"} {
		add(t, p, Key{Pool: "default", AppKey: appKey, Limit: 100})
	}
	history.flushed(t, p)
	if err := raw(t, p).Del(t.Context(), namesOf("default").pool).Err(); err != nil { // lost, but for what lies beside it
		t.Fatal(err)
	}
	rebuild(t, p, history)
	for _, reference := range []string{"sent", "drawn", "placed", "parked"} {
		draw(t, p, order1("default", reference, 2))
	}
	if err := p.Unsend(t.Context(), new(owned("drawn")), worker.CodeChannelDown); err != nil {
		t.Fatal(err)
	}
	settle(t, p, owned("placed"), placed, 2)
	settle(t, p, owned("parked"), unknownOne, 2)
	if _, err := p.Alter(t.Context(), "default", "k2", Bench, Change{Why: "unauthorized"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Lease(t.Context(), "default", "k1", "relay", time.Hour); err != nil {
		t.Fatal(err)
	}
}

// owned is a claim as its owner knows it.
func owned(reference string) worker.Claim {
	return worker.Claim{Pool: "default", Reference: reference, Owner: "owner-1", Attempt: 1}
}

// step is one way to change a pool.
type step struct {
	name   string
	script *script
	take   func(ctx context.Context, p *Pool) error
}

// fenced are steps by each script that is fenced, of which every single one would change something.
func fenced() []step {
	draw := func(d worker.Draw) func(context.Context, *Pool) error {
		return func(ctx context.Context, p *Pool) error { _, err := p.Draw(ctx, &d); return err }
	}
	end := func(reference string, state worker.ClaimState) func(context.Context, *Pool) error {
		return func(ctx context.Context, p *Pool) error {
			err := p.Settle(ctx, new(owned(reference)), new(worker.Part{State: state}), worker.Size{Lines: 1, Units: 1})
			return err
		}
	}
	back := func(reference string, why worker.Code) func(context.Context, *Pool) error {
		return func(ctx context.Context, p *Pool) error { return p.Unsend(ctx, new(owned(reference)), why) }
	}
	return []step{
		{"a new order", drawScript, draw(order1("default", "new", 1))},
		{"a drawn one", drawScript, draw(order1("default", "drawn", 2))},
		{"a sent one is taken over", drawScript, draw(by(order1("default", "sent", 2), "owner-2", 2))},
		{"one that was found", drawScript, draw(onKey(order1("default", "found", 2), "k1 k3"))},
		{"the only delivery of one that may be lost", drawScript, draw(sole(order1("default", "acme.lost-1", 3)))},
		{"an order is placed", settleScript, end("sent", placed)},
		{"it stays unknown", settleScript, end("sent", unknownOne)},
		{"an unknown one is decided", settleScript, end("parked", refused)},
		{"of a claim that is missing", settleScript, end("missing", placed)},
		{"it never left", unsendScript, back("sent", worker.CodeAbsent)},
		{"its key is not authorized", unsendScript, back("sent", worker.CodeUnauthorized)},
		{"the claim is missing", unsendScript, back("missing", "")},
		{"a drawn order is withdrawn", withdrawScript, func(ctx context.Context, p *Pool) error {
			_, err := p.Withdraw(ctx, worker.Withdrawal{Pool: "default", Reference: "drawn", Fingerprint: "print", Published: time.Now().Add(time.Hour)})
			return err
		}},
		{"a drawn order is bound to one that was made elsewhere", bindScript, func(ctx context.Context, p *Pool) error {
			_, err := p.Bind(ctx, worker.Bonding{Pool: "default", Reference: "drawn", Fingerprint: "print", Published: time.Now().Add(time.Hour),
				Seen: worker.ClaimDrawn, AppKey: "k3", Size: worker.Size{Lines: 2, Units: 2}, Part: worker.Part{State: placed}})
			return err
		}},
		{"a placed one is unbound", unbindScript, func(ctx context.Context, p *Pool) error {
			claim, _, err := p.Claim(ctx, "default", "placed")
			if err == nil {
				_, err = p.Unbind(ctx, claim, worker.Part{State: unknownOne})
			}
			return err
		}},
		{"an order is refused after its preview", refuseScript, func(ctx context.Context, p *Pool) error {
			_, err := p.Refuse(ctx, order1("default", "new", 1), worker.Part{State: refused})
			return err
		}},
		{"a preview's key is turned down", leaveScript, func(ctx context.Context, p *Pool) error {
			return p.Leave(ctx, order1("default", "new", 1), "k1", worker.CodeUnauthorized)
		}},
		{"a key is added", addScript, func(ctx context.Context, p *Pool) error {
			_, err := p.Add(ctx, Key{Pool: "default", AppKey: "k4"})
			return err
		}},
		{"a limit is raised", addScript, func(ctx context.Context, p *Pool) error {
			_, err := p.Add(ctx, Key{Pool: "default", AppKey: "k1", Limit: 500})
			return err
		}},
		{"the pool is set", configureScript, func(ctx context.Context, p *Pool) error {
			return p.Configure(ctx, "default", Settings{Count: CountUnits, Width: 3}, Change{})
		}},
		{"a key is benched", alterScript, func(ctx context.Context, p *Pool) error {
			_, err := p.Alter(ctx, "default", "k1", Bench, Change{Why: "unauthorized"})
			return err
		}},
		{"a key is restored", alterScript, func(ctx context.Context, p *Pool) error {
			_, err := p.Alter(ctx, "default", "k2", Restore, Change{By: "a person"})
			return err
		}},
		{"a step of a key's onboarding is done", stepScript, func(ctx context.Context, p *Pool) error {
			_, err := p.Step(ctx, "default", "k1", "role", worker.StepPassed, Change{By: "a person"})
			return err
		}},
		{"a secret is sealed", sealScript, func(ctx context.Context, p *Pool) error {
			_, err := p.SealSecret(ctx, "default", "k1", Sealed{Text: "x", Fingerprint: printA}, Change{By: "a person"})
			return err
		}},
		{"a relay has its turn", leaseScript, func(ctx context.Context, p *Pool) error {
			_, _, err := p.Lease(ctx, "default", "k2", "relay", time.Hour)
			return err
		}},
		{"its turn ends", releaseScript, func(ctx context.Context, p *Pool) error { return p.Release(ctx, "default", "k1", "relay") }},
		{"an authorization ends soon", endingScript, func(ctx context.Context, p *Pool) error {
			return p.Ending(ctx, "default", "k1", time.UnixMilli(1800000000000), "within 30 days")
		}},
		{"a seller asks for business accounts", restrictScript, func(ctx context.Context, p *Pool) error {
			return p.Learn(ctx, "default", "shop", "")
		}},
		{"events are taken", takeScript, func(ctx context.Context, p *Pool) error {
			_, born, err := p.peek(ctx, "default", -1)
			if err == nil {
				_, err = p.run(ctx, "default", takeScript, namesOf("default").keys(), born, 1<<40, flushBatch)
			}
			return err
		}},
		{"a lost record is concluded", concludeScript, func(ctx context.Context, p *Pool) error {
			_, err := p.run(ctx, "default", concludeScript, namesOf("default").keys("acme.lost-1"), "k1", 3, "placed", 0, 0)
			return err
		}},
	}
}

// onItsWay are the scripts without a fence: a pool is verified by them.
var onItsWay = []*script{newPoolScript, rememberScript, recallScript, restoreScript, dropScript, rebuildScript, lookScript, stayScript, batchScript}

// TestEveryScriptIsFencedOrOnTheWayToIt: a new script finds its place in one of these lists.
func TestEveryScriptIsFencedOrOnTheWayToIt(t *testing.T) {
	for i, s := range scripts {
		source := s.source()
		named := slices.Contains(onItsWay, s)
		for _, step := range fenced() {
			if step.script == s {
				named = true
			}
		}
		if !named {
			t.Errorf("script %d has no step in this test: %s", i, source[len(source)-min(300, len(source)):])
		}
		if has := strings.Contains(source, strings.TrimSpace(fence)); has == slices.Contains(onItsWay, s) && s != batchScript {
			t.Errorf("script %d: fenced %t", i, has)
		}
	}
}

// TestNothingChangesOnARedisThatIsNotVerified: it has all the pool's data, and another server wrote it.
func TestNothingChangesOnARedisThatIsNotVerified(t *testing.T) {
	for name, exchange := range map[string]func(t *testing.T, server *workertest.RedisServer) (url string){
		"a copy":                             copied,
		"a restart":                          func(_ *testing.T, server *workertest.RedisServer) string { server.Restart(); return server.URL },
		"a fail-over":                        promoted,
		"a role that was lost and won again": demoted,
	} {
		t.Run(name, func(t *testing.T) {
			server := workertest.Redis(t, "--appendfsync", "always", replicaDelay, none)
			rich(t, server.URL)
			for _, s := range fenced() {
				wantChange(t, copied(t, server), s)
			}
			url := exchange(t, server)
			p, direct := unread(t, url), client(t, url)
			before := contents(t, direct)
			for _, s := range fenced() {
				wantUnverified(t, s.name, s.take(t.Context(), p))
			}
			for i, status := range together3(t, p) {
				if status != statusUnverified {
					t.Errorf("step %d of a batch: %s", i, status)
				}
			}
			if err := p.Flush(t.Context(), newJournal()); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(before, contents(t, direct)); diff != "" {
				t.Errorf("something changed: %s", diff)
			}
		})
	}
}

// wantChange makes sure that a step would change a pool that is verified: on a copy that is taken for the original.
func wantChange(t *testing.T, url string, s step) {
	t.Helper()
	direct := client(t, url)
	p := unread(t, url)
	server, err := p.identify(t.Context(), "default")
	if err == nil {
		err = direct.HSet(t.Context(), namesOf("default").pool, "server", server).Err()
	}
	if err != nil {
		t.Fatal(err)
	}
	before := contents(t, direct)
	if err := s.take(t.Context(), p); err != nil && worker.AsTrouble(err).Code == worker.CodeRedisDown {
		t.Errorf("%s: %v", s.name, err)
	}
	if maps.Equal(before, contents(t, direct)) {
		t.Errorf("%s changes nothing anyhow", s.name)
	}
}

func wantUnverified(t *testing.T, name string, err error) {
	t.Helper()
	if err == nil || worker.AsTrouble(err).Code != worker.CodeRedisDown || !strings.Contains(err.Error(), "being compared") {
		t.Errorf("%s: %v", name, err)
	}
}

// together3 sends a draw, a settlement and an unsending as one script and gives their statuses.
func together3(t *testing.T, p *Pool) (statuses []string) {
	t.Helper()
	call1 := func(s *script, reference string, args ...any) *call {
		return &call{ctx: t.Context(), script: s, keys: namesOf("default").keys(reference), args: args, done: make(chan answer, 1)}
	}
	batch := []*call{
		call1(drawScript, "new", "print", "owner-1", 1, time.Now().UnixMilli(), 1, 1, "", ""),
		call1(settleScript, "sent", "owner-1", 1, "placed", 2, 2, "{}"),
		call1(unsendScript, "drawn", "owner-1", 1, "absent"),
	}
	l := &lane{shard: p.shards.only}
	l.exchange(batch)
	l.drop()
	for _, c := range batch {
		a := <-c.done
		if a.err != nil {
			t.Fatal(a.err)
		}
		statuses = append(statuses, a.reply.status())
	}
	return statuses
}

func client(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// dump is everything that a Redis holds.
func dump(t *testing.T, c *redis.Client) map[string]string {
	t.Helper()
	all := map[string]string{}
	names, err := c.Keys(t.Context(), "*").Result()
	for _, name := range names {
		if err == nil {
			all[name], err = c.Dump(t.Context(), name).Result()
		}
	}
	if err != nil || len(all) == 0 {
		t.Fatalf("%d keys, %v", len(all), err)
	}
	return all
}

// contents is dump to compare with: a large hash is dumped in an order of its own, so each is here by its fields.
func contents(t *testing.T, c *redis.Client) map[string]string {
	t.Helper()
	all := dump(t, c)
	for name := range all {
		if c.Type(t.Context(), name).Val() == "hash" {
			all[name] = fmt.Sprint(c.HGetAll(t.Context(), name).Val())
		}
	}
	return all
}

// copied puts all that a server holds into another one.
func copied(t *testing.T, server *workertest.RedisServer) string {
	t.Helper()
	other := workertest.Redis(t)
	to := client(t, other.URL)
	for name, value := range dump(t, client(t, server.URL)) {
		if err := to.Restore(t.Context(), name, 0, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return other.URL
}

// A replica has its copy without the usual wait then.
const replicaDelay, none = "--repl-diskless-sync-delay", "0"

// promoted lets a replica take over.
func promoted(t *testing.T, server *workertest.RedisServer) string {
	t.Helper()
	replica := workertest.Redis(t, replicaDelay, none)
	replica.ReplicaOf(server)
	server.Kill()
	replica.ReplicaOf(nil)
	return replica.URL
}

// demoted lets a replica take over and takes the role back, in the same process.
func demoted(t *testing.T, server *workertest.RedisServer) string {
	t.Helper()
	other := workertest.Redis(t, replicaDelay, none)
	other.ReplicaOf(server)
	other.ReplicaOf(nil)
	server.ReplicaOf(other)
	server.ReplicaOf(nil)
	return server.URL
}

// TestAPoolIsYoungerThanWhatItLost: a Redis without a file begins empty. The pool is born anew in it, so that whatever was
// published before is looked up first, and counts what is on record.
func TestAPoolIsYoungerThanWhatItLost(t *testing.T) {
	server := workertest.Redis(t, "--appendonly", "no")
	p, _, _ := guardedPool(t, server.URL, "default")
	born := func() (string, string) {
		fields, err := raw(t, p).HMGet(t.Context(), namesOf("default").pool, "born", "server").Result()
		if err != nil || fields[0] == nil || fields[1] == nil {
			t.Fatalf("%v, %v", fields, err)
		}
		return fields[0].(string), fields[1].(string)
	}
	bornBefore, serverBefore := born()
	before := by(order1("default", "before", 1), "owner-2", 2)
	before.Published = time.Now()
	server.Restart()
	eventually(t, func() error {
		_, err := p.Draw(t.Context(), new(order1("default", "after", 1)))
		return err
	})
	bornAfter, serverAfter := born()
	if bornAfter <= bornBefore || serverAfter == serverBefore || serverAfter != p.seen(t.Context(), "default") {
		t.Errorf("born %s on %s, before %s on %s", bornAfter, serverAfter, bornBefore, serverBefore)
	}
	_, err := p.Draw(t.Context(), &before)
	wantCode(t, err, worker.CodeLost)
	wantKey(t, p, "default", "k1", StateActive, 10, 6) // 5 of the order under way, whose claim is lost
}

// TestALostRecordIsConcludedOnce by many processes that find its result at once, while its owner settles late.
func TestALostRecordIsConcludedOnce(t *testing.T) {
	server := workertest.Redis(t)
	history := &stored{flights: []worker.Request{under("r", 3)}}
	guarded := func(c *Config) { c.History, c.FlushEvery = history, time.Hour }
	p, other := open(t, server.URL, guarded), open(t, server.URL, guarded)
	rebuild(t, p, history)
	settings(t, p, "default", Settings{Count: CountLines, Width: 1})
	for _, appKey := range []string{"k1", "k2"} {
		add(t, p, Key{Pool: "default", AppKey: appKey, Limit: 10})
	}
	history.flushed(t, p)
	server.FlushAll()
	rebuild(t, p, history)
	wantHeld(t, p, "k1", 0, 3)
	wantHeld(t, p, "k2", 0, 3)
	claim := worker.Claim{Pool: "default", Reference: "acme.r-1", Owner: "owner-1", Attempt: 1, AppKey: "k1", Products: 3, State: placed,
		Part: worker.Part{State: placed, Code: worker.CodePlaced, At: decided}}
	history.publish(history.flights[0], claim)
	atOnce(16, func(i int) {
		if i == 8 {
			err := p.Settle(t.Context(), &claim, &claim.Part, worker.Size{Lines: 3, Units: 3})
			if worker.AsTrouble(err).Code != worker.CodeLost {
				t.Errorf("settled: %v", err)
			}
			return
		}
		if err := []*Pool{p, other}[i%2].conclude(t.Context(), "default"); err != nil {
			t.Error(err)
		}
	})
	for range 2 {
		wantHeld(t, p, "k1", 3, 0)
		wantHeld(t, p, "k2", 0, 0)
		if err := other.conclude(t.Context(), "default"); err != nil {
			t.Fatal(err)
		}
	}
	wantBooks(t, p, "default")
	if open, err := p.lost(t.Context(), "default"); err != nil || len(open) != 0 {
		t.Errorf("still lost: %q, %v", open, err)
	}
}
