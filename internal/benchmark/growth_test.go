package benchmark

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"

	"autopurchase/internal/bus"
)

var mostStored = flag.Int("growth.stored", 10_000, "up to how many claims and queued requests BenchmarkGrowth goes")

// few are how many are stored on the side that the others are compared with.
const few = 1000

// BenchmarkGrowth compares purchases where much is stored, in Redis and in the queue, with purchases where little is, and starts the
// built program where it is most.
//
//	make bench-growth
func BenchmarkGrowth(b *testing.B) {
	little := newStock(b, few)
	for stored := 10 * few; stored <= *mostStored; stored *= 10 {
		b.Run(strconv.Itoa(stored), func(b *testing.B) {
			much := newStock(b, stored)
			row("%-26s %7.0f B            of Redis for each, %d of them", "a settled claim", much.perClaim, past(stored))
			t := compare(b, much.take, little.take)
			t.report(b, fmt.Sprintf("purchases, %d stored beside %d", stored, few), "purchases/s")
			costs(b, stored, much, little)
			if stored == *mostStored {
				much.startsAgain(b)
			}
		})
	}
}

// TestGrowthIsMeasuredRight runs what the benchmark runs once, on little.
func TestGrowthIsMeasuredRight(t *testing.T) {
	s := newStock(t, 2*few)
	if s.do(s.take, 50) <= 0 {
		t.Error("a run took no time")
	}
	claims, err := s.client.Keys(t.Context(), "*claim:*").Result()
	s.must(err)
	left, err := s.bus.Depth(t.Context())
	s.must(err)
	if len(claims) < 2*few+50 || left.Waiting < few || s.perClaim < 100 || s.perClaim > 350 {
		t.Errorf("%d claims of %.0f bytes, %d requests wait", len(claims), s.perClaim, left.Waiting)
	}
}

// stock is a rig with much in its stores.
type stock struct {
	*rig
	client   *redis.Client
	ours     *workers
	perClaim float64 // bytes of Redis
}

func newStock(t testing.TB, stored int) *stock {
	t.Helper()
	r := newRig(t)
	s := &stock{rig: r, client: openRedis(t, r.redisURL), ours: r.ours(orders)}
	s.do(s.ours.run, 1) // makes the claim that is copied
	before, claims := s.used(), past(stored)
	s.copyClaims(claims)
	s.must(moved.Run(s.Context(), s.client, []string{"none"}, 2*claims).Err())
	s.perClaim = float64(s.used()-before) / float64(claims)
	s.put(stored)
	return s
}

// past is a number of claims somewhat above the one that is meant, so that Redis's table of names has just grown: it doubles at 2^14, 2^17
// and 2^20, and a run that meets it pays at once what all purchases before it have saved.
func past(stored int) int { return stored * 7 / 5 }

// moved asks for what is not there until a table that has grown is moved whole, which Redis does bit by bit as it is asked.
var moved = redis.NewScript(`for i = 1, ARGV[1] do redis.call('EXISTS', KEYS[1]) end return 1`)

// take takes n requests to their end, of those that wait; as many come in their place before.
func (s *stock) take(ctx context.Context, n int) (time.Duration, error) {
	if err := s.publish(ctx, n); err != nil {
		return 0, err
	}
	return s.ours.work(ctx, n)
}

// copies makes claims like the one that was settled, each with a name of its own.
var copies = redis.NewScript(`for i = ARGV[1], ARGV[2] do redis.call('COPY', KEYS[1], string.format('%s%07d-1', ARGV[3], i)) end`)

func (s *stock) copyClaims(n int) {
	s.Helper()
	settled, err := s.client.Keys(s.Context(), "*claim:*").Result()
	s.must(err)
	if len(settled) != 1 {
		s.Fatalf("claims: %v", settled)
	}
	prefix, _, _ := strings.Cut(settled[0], "PR-")
	for from := 0; from < n; from += 10_000 {
		err := copies.Run(s.Context(), s.client, settled, from, min(from+10_000, n)-1, prefix+"OLD-").Err()
		if !errors.Is(err, redis.Nil) {
			s.must(err)
		}
	}
}

// used is how much memory Redis has in use for its data: without what is on its way to the file or to clients.
func (s *stock) used() int64 {
	s.Helper()
	facts, err := s.client.Info(s.Context(), "memory").Result()
	s.must(err)
	bytes := func(of string) int64 {
		_, rest, _ := strings.Cut(facts, "\n"+of+":")
		digits, _, _ := strings.Cut(rest, "\r")
		n, err := strconv.ParseInt(digits, 10, 64)
		s.must(err)
		return n
	}
	return bytes("used_memory") - bytes("mem_aof_buffer") - bytes("mem_clients_normal")
}

// startsAgain starts the program as a process of its own on what is stored, once to verify the pool on this Redis, and then again to
// see how soon its first result is there.
func (s *stock) startsAgain(b *testing.B) {
	if _, err := os.Stat(program); err != nil {
		b.Skip("the program is not built: make bench-growth builds it")
	}
	url, err := s.relay(0)
	s.must(err)
	var took time.Duration
	var peak float64
	for range 2 {
		first := s.firstResult()
		began := time.Now()
		process := s.startWorker(url, orders)
		s.must(first())
		took, peak = time.Since(began), memory(b, process.Pid, "VmHWM")
		s.must(process.Signal(syscall.SIGTERM))
		s.untilEnded(process.Pid)
	}
	row("%-26s %7.0f ms           from the program's start, its pool being verified", "first result", float64(took.Microseconds())/1000)
	row("%-26s %7.1f MiB          at its first result", "worker, peak of memory", peak)
}

// firstResult waits for a result that is published from now on.
func (s *stock) firstResult() func() error {
	conn, err := nats.Connect(s.natsURL)
	s.must(err)
	s.Cleanup(conn.Close)
	sub, err := conn.SubscribeSync(bus.SubjectResults)
	s.must(err)
	s.must(conn.Flush())
	return func() error {
		_, err := sub.NextMsg(patience)
		return err
	}
}
