package workertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// RedisNodes is a Redis Cluster of three masters, each a process with a third of the slots.
type RedisNodes struct {
	URL     string // redis-cluster://…, with all masters
	Masters []*RedisServer

	t    testing.TB
	args []string
	bus  map[*RedisServer]string // the port on which a node talks to the others
}

// slots is how many hash slots a cluster has.
const slots = 16384

// RedisCluster starts three masters and returns once each of them takes writes and knows the others, about two seconds later;
// the test fails if they do not. The arguments are every node's; see [Redis].
func RedisCluster(t testing.TB, args ...string) *RedisNodes {
	t.Helper()
	c := &RedisNodes{t: t, args: args, bus: map[*RedisServer]string{}}
	var addrs []string
	for i := range clusterSize {
		node := c.node()
		node.do(func(ctx context.Context, client *redis.Client) error {
			return client.ClusterAddSlotsRange(ctx, i*slots/clusterSize, (i+1)*slots/clusterSize-1).Err()
		})
		c.Masters, addrs = append(c.Masters, node), append(addrs, node.Addr)
	}
	c.URL = "redis-cluster://" + addrs[0] + "?addr=" + strings.Join(addrs[1:], "&addr=")
	for _, node := range c.Masters[1:] {
		c.meet(node)
	}
	for _, node := range c.Masters {
		node.await("the cluster", func(ctx context.Context, client *redis.Client) error {
			return says(client.ClusterInfo(ctx), "cluster_state:ok", fmt.Sprint("cluster_size:", clusterSize))
		})
	}
	return c
}

// Replica adds a replica of one of the masters and returns once it has that one's data and every master would vote for it.
func (c *RedisNodes) Replica(of *RedisServer) *RedisServer {
	c.t.Helper()
	id, replica := of.clusterID(), c.node()
	c.meet(replica)
	replica.await("its master", func(ctx context.Context, client *redis.Client) error { return client.ClusterReplicate(ctx, id).Err() })
	replica.await("its copy of the data", func(ctx context.Context, client *redis.Client) error {
		return says(client.Info(ctx, "replication"), "role:slave", "master_link_status:up")
	})
	for _, master := range c.Masters {
		master.await("the replica", func(ctx context.Context, client *redis.Client) error {
			if nodes, err := client.ClusterNodes(ctx).Result(); err != nil || !strings.Contains(nodes, "slave "+id) {
				return errors.Join(errNotYet, err)
			}
			return nil
		})
	}
	return replica
}

// Master gives the master that has the slot of a key in the beginning.
func (c *RedisNodes) Master(key string) *RedisServer {
	c.t.Helper()
	slot := c.slot(key)
	for i := range clusterSize {
		if slot < int64((i+1)*slots/clusterSize) {
			return c.Masters[i]
		}
	}
	return nil // there is no such slot
}

func (c *RedisNodes) slot(key string) (slot int64) {
	c.t.Helper()
	c.Masters[0].do(func(ctx context.Context, client *redis.Client) (err error) {
		slot, err = client.ClusterKeySlot(ctx, key).Result()
		return err
	})
	return slot
}

// Move takes the slot of a key, with all that is in it, from the master that has it in the beginning to another one, while it
// is in use.
func (c *RedisNodes) Move(key string, to *RedisServer) {
	c.t.Helper()
	from, slot := c.Master(key), c.slot(key)
	set := func(node *RedisServer, words ...any) {
		node.do(func(ctx context.Context, client *redis.Client) error {
			return client.Do(ctx, append([]any{"cluster", "setslot", slot}, words...)...).Err()
		})
	}
	set(to, "importing", from.clusterID())
	set(from, "migrating", to.clusterID())
	from.do(func(ctx context.Context, client *redis.Client) error { return migrate(ctx, client, slot, to.Addr) })
	for _, node := range append([]*RedisServer{to}, c.Masters...) {
		set(node, "node", to.clusterID())
	}
}

// migrate moves a slot's keys a few at a time, so that it is halved for a while.
func migrate(ctx context.Context, from *redis.Client, slot int64, to string) error {
	host, port, _ := strings.Cut(to, ":")
	for {
		keys, err := from.ClusterGetKeysInSlot(ctx, int(slot), 5).Result()
		if err != nil || len(keys) == 0 {
			return err
		}
		words := []any{"migrate", host, port, "", 0, 5000, "keys"}
		for _, key := range keys {
			words = append(words, key)
		}
		if err := from.Do(ctx, words...).Err(); err != nil {
			return err
		}
	}
}

func (s *RedisServer) clusterID() (id string) {
	s.t.Helper()
	s.do(func(ctx context.Context, client *redis.Client) (err error) {
		id, err = client.ClusterMyID(ctx).Result()
		return err
	})
	return id
}

// node starts a node that knows nobody.
func (c *RedisNodes) node() *RedisServer {
	c.t.Helper()
	var bus string
	node := redisServer(c.t, func() []string {
		_, bus, _ = net.SplitHostPort(freeAddr(c.t))
		return append([]string{"--cluster-enabled", "yes", "--cluster-port", bus}, c.args...)
	})
	c.bus[node] = bus
	return node
}

// meet makes a node known to the first master, which tells the others.
func (c *RedisNodes) meet(node *RedisServer) {
	c.t.Helper()
	c.Masters[0].do(func(ctx context.Context, client *redis.Client) error {
		host, port, _ := net.SplitHostPort(node.Addr)
		return client.Do(ctx, "cluster", "meet", host, port, c.bus[node]).Err()
	})
}
