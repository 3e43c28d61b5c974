package keypool

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// shard is one Redis that takes writes: the queue of steps for it, the lanes that carry them there, and who it is. A single
// Redis is the only shard, whoever is primary. Of a cluster each master is one, and a pool's steps go to the one that has the
// slot of its hash tag.
type shard struct {
	pool   *Pool
	client atomic.Pointer[redis.Client]
	queue  chan *call
	server atomic.Pointer[string] // identity of the Redis that was last connected to
}

// shards are those that were needed so far, by the master's address.
type shards struct {
	cluster *redis.ClusterClient // nil without a cluster
	only    *shard               // nil in a cluster
	mutex   sync.RWMutex
	byAddr  map[string]*shard
	closed  bool
}

// openShards makes the shard of a single Redis. Those of a cluster are made as pools turn out to live there.
func (p *Pool) openShards() {
	switch client := p.client.(type) {
	case *redis.ClusterClient:
		p.shards.cluster, p.shards.byAddr = client, map[string]*shard{}
	case *redis.Client:
		p.shards.only = p.newShard(client)
	}
}

func (p *Pool) newShard(client *redis.Client) *shard {
	s := &shard{pool: p, queue: make(chan *call, maxBatch)}
	s.client.Store(client)
	for range p.config.Lanes {
		p.lanes.Go((&lane{shard: s}).carry)
	}
	return s
}

// shardOf finds the shard of a Redis key as far as the cluster's layout is known.
func (p *Pool) shardOf(ctx context.Context, key string) (*shard, error) {
	if p.shards.only != nil {
		return p.shards.only, nil
	}
	master, err := p.shards.cluster.MasterForKey(ctx, key)
	if err != nil {
		return nil, err
	}
	s, err := p.shardAt(master)
	if err == nil && s.client.Load() != master {
		s.client.Store(master) // the cluster's client closes that of a master that was away
	}
	return s, err
}

func (p *Pool) shardAt(master *redis.Client) (*shard, error) {
	addr := master.Options().Addr
	p.shards.mutex.RLock()
	s := p.shards.byAddr[addr]
	p.shards.mutex.RUnlock()
	if s != nil {
		return s, nil
	}
	p.shards.mutex.Lock()
	defer p.shards.mutex.Unlock()
	if p.shards.closed {
		return nil, errClosed
	}
	if s = p.shards.byAddr[addr]; s == nil {
		s = p.newShard(master)
		p.shards.byAddr[addr] = s
	}
	return s, nil
}

// closeShards ends all lanes; no shard is made from now on.
func (p *Pool) closeShards() {
	p.shards.mutex.Lock()
	defer p.shards.mutex.Unlock()
	p.shards.closed = true
	close(p.closing)
}

// moved lets the cluster's layout be read again, after a sign that it has changed.
func (p *Pool) moved() {
	if p.shards.cluster != nil {
		p.shards.cluster.ReloadState(context.Background())
	}
}

// masters does something with every Redis that takes writes, at once with all masters of a cluster.
func (p *Pool) masters(ctx context.Context, do func(context.Context, *redis.Client) error) error {
	if p.shards.only != nil {
		return do(ctx, p.shards.only.client.Load())
	}
	return p.shards.cluster.ForEachMaster(ctx, do)
}

// seen is the identity of the Redis that was last connected to for a pool.
func (p *Pool) seen(ctx context.Context, pool string) string {
	s, err := p.shardOf(ctx, namesOf(pool).pool)
	if err != nil {
		return nobody
	}
	return s.seen()
}

func (s *shard) seen() string {
	if server := s.server.Load(); server != nil {
		return *server
	}
	return nobody
}

func (s *shard) saw(server string) { s.server.Store(&server) }
