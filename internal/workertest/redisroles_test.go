package workertest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// turns does one thing after the other, one each time it is called.
func turns(steps ...func()) func() {
	return func() {
		step := steps[0]
		steps = steps[1:]
		step()
	}
}

// TestAKilledPrimaryIsReplacedUnderLoad: Sentinels replace a primary that was killed, and what it had acknowledged last may be
// lost. It comes back as a replica. Nobody is restarted.
func TestAKilledPrimaryIsReplacedUnderLoad(t *testing.T) {
	watched := workertest.RedisSentinel(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: watched.URL})
	r.loseUnderLoad(turns(watched.Primary.Kill, func() {}, watched.Primary.Restart))
}

// TestAKilledMasterIsReplacedUnderLoad: the same with the master of a cluster that has the pool.
func TestAKilledMasterIsReplacedUnderLoad(t *testing.T) {
	nodes := workertest.RedisCluster(t, "--cluster-node-timeout", "1000")
	master := nodes.Master("autopurchase:{default}:pool")
	nodes.Replica(master)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: nodes.URL})
	r.loseUnderLoad(turns(master.Kill, func() {}, master.Restart))
}

// TestRolesAreSwappedUnderLoad: behind one address two servers change their roles there and back, while connections stay that
// lead to a server that is a replica by now and takes no writes; and all scripts are forgotten. Nothing is lost by that, and
// so nothing is parked.
func TestRolesAreSwappedUnderLoad(t *testing.T) {
	first, second := workertest.Redis(t), workertest.Redis(t)
	second.ReplicaOf(first)
	service := newService(t, first.Addr)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: service.url})
	r.loseUnderLoad(turns(
		func() { r.swapRoles(first, second); service.target.Store(second.Addr) },
		func() {
			r.awaits("scripts to be run where the primary is now", func() bool { return r.calls(second, "evalsha") > 0 })
			r.on(second, func(c *redis.Client) error { return c.ScriptFlush(r.ctx).Err() })
		},
		func() {
			r.awaits("a script to be missed", func() bool { return r.refusals(second, "NOSCRIPT") > 0 })
			r.swapRoles(second, first)
			service.target.Store(first.Addr)
		},
	))
	for i := range 120 {
		if result := r.result(fmt.Sprint("load-", i)); result.Outcome != worker.OutcomePlaced {
			t.Errorf("%+v", result)
		}
	}
	if n := r.refusals(first, "READONLY"); n == 0 {
		t.Error("nothing was sent to the server that had become a replica")
	}
}

// swapRoles makes a primary the replica of its replica without losing a write: writes wait meanwhile and are refused then.
func (r *rig) swapRoles(primary, replica *workertest.RedisServer) {
	r.t.Helper()
	r.on(primary, func(c *redis.Client) error { return c.Do(r.ctx, "client", "pause", "30000", "write").Err() })
	replica.CatchesUp(primary)
	replica.ReplicaOf(nil)
	primary.ReplicaOf(replica)
	r.on(primary, func(c *redis.Client) error { return c.Do(r.ctx, "client", "unpause").Err() })
}

// on does something with a server.
func (r *rig) on(server *workertest.RedisServer, do func(*redis.Client) error) {
	r.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	r.must(do(client))
}

// refusals counts how often a server has answered with an error.
func (r *rig) refusals(server *workertest.RedisServer, word string) int {
	r.t.Helper()
	return r.figure(server, "errorstats", "errorstat_"+word+":count=")
}

// calls counts how often a server was asked for a command.
func (r *rig) calls(server *workertest.RedisServer, command string) int {
	r.t.Helper()
	return r.figure(server, "commandstats", "cmdstat_"+command+":calls=")
}

// figure reads a number that a server keeps; 0 if it keeps none yet.
func (r *rig) figure(server *workertest.RedisServer, section, before string) (n int) {
	r.t.Helper()
	r.on(server, func(c *redis.Client) error {
		facts, err := c.Info(r.ctx, section).Result()
		if _, rest, found := strings.Cut(facts, before); found {
			digits := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' })
			n, err = strconv.Atoi(rest[:digits])
		}
		return err
	})
	return n
}

// service is an address behind which another server may stand for new connections; those that are open stay.
type service struct {
	url    string
	target atomic.Value // string
}

func newService(t *testing.T, target string) *service {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{url: "redis://" + listener.Addr().String() + "/0"}
	s.target.Store(target)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", s.target.Load().(string))
			if err != nil {
				_ = near.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				group.Go(func() {
					_, _ = io.Copy(way[0], way[1])
					_, _ = way[0].Close(), way[1].Close()
				})
			}
			context.AfterFunc(ctx, func() { _, _ = near.Close(), far.Close() })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		group.Wait()
	})
	return s
}
