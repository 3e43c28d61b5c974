package keypool

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
)

// Config says where the pool's Redis is and how patiently it is asked.
type Config struct {
	// URL of the Redis, required; rediss instead of redis for TLS:
	//
	//	redis://user:password@host:6379/db                    one Redis, or unix://user:password@/path?db=0
	//	redis-sentinel://host:26379/db?master_name=NAME       the primary that Sentinels name, more of them as &addr=host2:26379
	//	redis-cluster://user:password@host:6379               a cluster, more of its nodes as ?addr=host2:6379
	//
	// Behind Sentinels, user:password@ is what they ask for, and what Redis asks for is &username=…&password=….
	URL string
	// Password is that of the URL's user, for one that is kept in a file; the URL has none then. Sentinels are told it too if the
	// URL names a user for them.
	Password string
	// TLS is how to talk to a Redis whose URL begins with rediss: the CAs to trust and the certificate to show. May be nil. Each
	// server must prove to be the host that it is reached by.
	TLS *tls.Config
	// Log hears warnings about the Redis; a healthy one is not mentioned.
	Log zerolog.Logger
	// OnConnect is told of each connection, the first ones included. It must not block. May be nil.
	OnConnect func()
	// CallTimeout is how long one step may take, repeats included. Default 1 s; at least 10 ms.
	CallTimeout time.Duration
	// Backoff is the pause before a step is repeated after a connection error; it doubles each time. Default 5 ms.
	Backoff time.Duration
	// Lanes is how many pipelines may be under way at once, to each master of a cluster. Default 1: all that comes while one is
	// under way then travels together. At most 16.
	Lanes int
	// FlushEvery is how often RunFlusher looks for events that other processes left behind. Default 1 s.
	FlushEvery time.Duration
	// History is what a Redis that was started, emptied or exchanged is compared with before anything is drawn from it. It is
	// read in the background whenever that is needed. Without it every Redis is trusted, and Rebuild is up to the caller.
	History History
	// Apart keeps the pools of this process apart from those that others use: they are on a list of their own, so that nobody else
	// finds them, shows them or journals what happens to them. It is for measurements, which remove their pools: see RemovePool.
	Apart bool
	// Guest leaves it to others, who have a History, to verify the Redis: until they have, every step is worker.CodeRedisDown.
	Guest bool
}

const (
	defaultCallTimeout = time.Second
	defaultBackoff     = 5 * time.Millisecond
	defaultLanes       = 1
	defaultFlushEvery  = time.Second
	maxLanes           = 16
)

func (c Config) withDefaults() Config {
	if c.CallTimeout == 0 {
		c.CallTimeout = defaultCallTimeout
	}
	if c.Backoff == 0 {
		c.Backoff = defaultBackoff
	}
	if c.Lanes == 0 {
		c.Lanes = defaultLanes
	}
	if c.FlushEvery == 0 {
		c.FlushEvery = defaultFlushEvery
	}
	if c.OnConnect == nil {
		c.OnConnect = func() {}
	}
	return c
}

// ACL is what a Redis user needs for the pools, as ACL SETUSER takes it behind the user's name and password; ACLCluster comes to
// it in a cluster.
const (
	ACL        = "~autopurchase:* resetchannels -@all +@read +@write +@connection +@transaction +evalsha +script|load +time -@dangerous +info"
	ACLCluster = "+cluster|slots +cluster|shards"
)

// Validate reports everything that is wrong with the configuration. It never repeats the URL, which may hold a password.
func (c Config) Validate() error {
	c = c.withDefaults()
	var wrong []error
	if _, err := c.options(); err != nil {
		wrong = append(wrong, fmt.Errorf("redis url: %w", err))
	}
	if c.CallTimeout < 10*time.Millisecond {
		wrong = append(wrong, fmt.Errorf("redis call timeout: %v is below 10ms", c.CallTimeout))
	}
	if c.Backoff < time.Millisecond || c.Backoff > c.CallTimeout {
		wrong = append(wrong, fmt.Errorf("redis backoff: %v is not between 1ms and the call timeout of %v", c.Backoff, c.CallTimeout))
	}
	if c.Lanes < 1 || c.Lanes > maxLanes {
		wrong = append(wrong, fmt.Errorf("redis lanes: %d is not between 1 and %d", c.Lanes, maxLanes))
	}
	if c.FlushEvery < time.Millisecond {
		wrong = append(wrong, fmt.Errorf("redis flush interval: %v is below 1ms", c.FlushEvery))
	}
	return errors.Join(wrong...)
}
