package keypool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/rs/zerolog"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// TestASwallowedReplyIsCountedOnce: the script ran, its reply and the connection are lost, and the step is repeated.
func TestASwallowedReplyIsCountedOnce(t *testing.T) {
	singles(t, func(t *testing.T, direct *Pool) {
		quiet(t, direct, "default", 1000)
		between := newProxy(t, addrOf(direct))
		p := open(t, between.url)
		draw(t, p, order1("default", "warm", 1))
		for i := range 5 {
			between.swallow.Store(1)
			claim := draw(t, p, order1("default", fmt.Sprint("r-", i), 2))
			if claim.Turn != worker.TurnSend {
				t.Fatalf("turn %s, want send", claim.Turn)
			}
			between.swallow.Store(1)
			settle(t, p, claim, placed, 2)
		}
		wantKey(t, direct, "default", "k1", StateActive, 10, 1)
		if left := between.swallow.Load(); left >= 0 {
			t.Fatalf("%d replies were not swallowed", left+1)
		}
	})
}

// TestASilentRedisIsATrouble: no reply and no end of the connection. The caller draws again later and gets its claim.
func TestASilentRedisIsATrouble(t *testing.T) {
	direct := open(t, workertest.Redis(t).URL)
	quiet(t, direct, "default", 1000)
	between := newProxy(t, addrOf(direct))
	p := open(t, between.url, func(c *Config) { c.CallTimeout = 200 * time.Millisecond })
	draw(t, p, order1("default", "warm", 1))
	between.silent.Store(true)
	begin := time.Now()
	_, err := p.Draw(t.Context(), new(order1("default", "r", 2)))
	wantCode(t, err, worker.CodeRedisDown)
	if took := time.Since(begin); took > 2*time.Second {
		t.Fatalf("it took %v", took)
	}
	between.silent.Store(false)
	eventually(t, func() error {
		claim, err := p.Draw(t.Context(), new(order1("default", "r", 2)))
		if err == nil && claim.Turn != worker.TurnSend {
			return fmt.Errorf("turn %s", claim.Turn)
		}
		return err
	})
	wantKey(t, direct, "default", "k1", StateActive, 0, 3)
}

// eventually tries until it works; every try waits for Redis by itself.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestARestartedRedisGoesOnWithItsCounts(t *testing.T) {
	server := workertest.Redis(t, "--appendfsync", "always")
	p := open(t, server.URL)
	quiet(t, p, "default", 1000)
	claim := draw(t, p, order1("default", "r", 7))
	impatient := open(t, server.URL, func(c *Config) { c.CallTimeout = 100 * time.Millisecond })
	server.Kill()
	_, err := impatient.Draw(t.Context(), new(order1("default", "s", 1)))
	wantCode(t, err, worker.CodeRedisDown)
	_, err = impatient.Left(t.Context(), "default")
	wantCode(t, err, worker.CodeRedisDown)
	wantCode(t, impatient.Ping(t.Context()), worker.CodeRedisDown)
	server.Restart()
	if left, err := p.Left(t.Context(), "default"); err != nil || left != 993 { // over a connection that is gone
		t.Fatalf("%d left, %v", left, err)
	}
	if settled := settle(t, p, claim, placed, 7); settled.Products != 7 { // scripts are loaded again
		t.Fatalf("%d counted, want 7", settled.Products)
	}
	if err := p.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantKey(t, p, "default", "k1", StateActive, 7, 0)
}

func TestForgottenScriptsAreLoadedUnderWay(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 1000)
		client := raw(t, p)
		atOnce(100, func(i int) {
			if i%10 == 0 {
				if err := client.ScriptFlush(t.Context()).Err(); err != nil {
					t.Error(err)
				}
			}
			claim, err := p.Draw(t.Context(), new(order1("default", fmt.Sprint("r-", i), 2)))
			if err == nil {
				err = p.Settle(t.Context(), claim, new(worker.Part{State: placed, Code: worker.CodePlaced}), worker.Size{Lines: 2})
			}
			if err != nil {
				t.Errorf("order %d: %v", i, err)
			}
		})
		wantKey(t, p, "default", "k1", StateActive, 200, 0)
	})
}

func TestOpenRefusesEviction(t *testing.T) {
	server := workertest.Redis(t, "--maxmemory-policy", "allkeys-lru")
	_, err := Open(t.Context(), Config{URL: server.URL})
	if !errors.Is(err, ErrEviction) || !strings.Contains(err.Error(), "noeviction") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("got %v", err)
	}
}

func TestOpenWarnsOfARedisThatForgets(t *testing.T) {
	for arg, want := range map[string]int{"no": 1, "yes": 0} {
		var log lines
		p := open(t, workertest.Redis(t, "--appendonly", arg).URL, func(c *Config) { c.Log = zerolog.New(&log) })
		if err := p.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(log.String(), "append-only"); got != want {
			t.Errorf("appendonly %s: %d warnings, want %d: %s", arg, got, want, &log)
		}
	}
}

type lines struct{ strings.Builder }

// on is a log that does something at each line.
type on func()

func (f on) Write(line []byte) (int, error) { f(); return len(line), nil }

func TestOpenWaitsVisiblyForALoadingRedis(t *testing.T) {
	server := miniredis.RunT(t)
	server.SetError("LOADING Redis is loading the dataset in memory")
	var told atomic.Int64
	log := zerolog.New(on(func() { told.Add(1); server.SetError("") }))
	p := open(t, "redis://"+server.Addr(), func(c *Config) { c.Log = log })
	if told.Load() != 1 || p.Ping(t.Context()) != nil {
		t.Fatalf("told %d times", told.Load())
	}
	server.SetError("LOADING Redis is loading the dataset in memory")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Open(ctx, Config{URL: "redis://" + server.Addr(), Log: zerolog.New(on(cancel))})
	wantCode(t, err, worker.CodeRedisDown)
}

// TestAUserOfItsOwnIsEnough: the pool touches no name outside its prefix and needs no dangerous command but INFO.
func TestAUserOfItsOwnIsEnough(t *testing.T) {
	server := workertest.Redis(t, "--user", "worker", "on", ">geheim", "~autopurchase:*", "+@all", "-@dangerous", "+info")
	p := open(t, strings.Replace(server.URL, "redis://", "redis://worker:geheim@", 1))
	history := lived(t, p)
	rebuild(t, p, history)
	wantBooks(t, p, "default")
	_, err := Open(t.Context(), Config{URL: strings.Replace(server.URL, "redis://", "redis://worker:falsch@", 1)})
	wantCode(t, err, worker.CodeRedisDown)
	if strings.Contains(err.Error(), "falsch") {
		t.Fatalf("the password is in %v", err)
	}
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	_, err := Open(t.Context(), Config{URL: "http://user:geheim@x", CallTimeout: 1, Lanes: 99, FlushEvery: 1})
	for _, want := range []string{"redis url", "call timeout", "backoff", "lanes", "flush interval"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "geheim") {
		t.Errorf("the password is in %v", err)
	}
	server := workertest.Redis(t)
	server.Kill()
	_, err = Open(t.Context(), Config{URL: server.URL})
	wantCode(t, err, worker.CodeRedisDown)
}

// TestAReplicaBehindTheSameAddressIsRedialled: the roles of two servers swap; old connections lead to the replica.
func TestAReplicaBehindTheSameAddressIsRedialled(t *testing.T) {
	first, second := workertest.Redis(t), workertest.Redis(t)
	between := newProxy(t, first.Addr)
	p := open(t, between.url, func(c *Config) { c.CallTimeout = 300 * time.Millisecond })
	quiet(t, p, "default", 1000)
	host, port, _ := strings.Cut(second.Addr, ":")
	if err := raw(t, p).ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	atOnce(8, func(i int) {
		_, err := p.Draw(t.Context(), new(order1("default", fmt.Sprint("r-", i), 1)))
		if trouble, _ := errors.AsType[*worker.Trouble](err); trouble == nil || trouble.Code != worker.CodeRedisDown && trouble.Code != worker.CodeNoPool {
			t.Errorf("a replica answered %v", err)
		}
	})
	between.target.Store(second.Addr)
	eventually(t, func() error {
		_, err := p.Add(t.Context(), Key{Pool: "default", AppKey: "k1"})
		return err
	})
	eventually(t, func() error {
		_, err := p.Draw(t.Context(), new(order1("default", "r-1", 1)))
		return err
	})
}

func TestCallersLeaveWhenTheirContextEnds(t *testing.T) {
	direct := open(t, workertest.Redis(t).URL)
	between := newProxy(t, addrOf(direct))
	p := open(t, between.url)
	between.silent.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := p.Draw(ctx, new(order1("default", "r", 1)))
	wantCode(t, err, worker.CodeRedisDown)
	if took := time.Since(begin); took > 2*time.Second {
		t.Fatalf("it took %v", took)
	}
	between.silent.Store(false)
}

func TestAClosedPoolTurnsCallsDown(t *testing.T) {
	p, err := Open(t.Context(), Config{URL: "redis://" + miniredis.RunT(t).Addr()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err = p.Draw(t.Context(), new(order1("default", "r", 1)))
	wantCode(t, err, worker.CodeRedisDown)
	if !errors.Is(err, errClosed) {
		t.Fatalf("got %v", err)
	}
}
