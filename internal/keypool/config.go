package keypool

import (
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

// Config says where the pool's Redis is and how patiently it is asked.
type Config struct {
	// URL of the Redis: redis://user:password@host:port/db, or rediss:// for TLS. Required.
	URL string
	// Log hears warnings about the Redis; a healthy one is not mentioned.
	Log zerolog.Logger
	// CallTimeout is how long one step may take, repeats included. Default 1 s; at least 10 ms.
	CallTimeout time.Duration
	// Backoff is the pause before a step is repeated after a connection error; it doubles each time. Default 5 ms.
	Backoff time.Duration
	// Lanes is how many pipelines may be under way at once. Default 2, at most 16.
	Lanes int
	// FlushEvery is how often RunFlusher looks for events that other processes left behind. Default 1 s.
	FlushEvery time.Duration
	// History is what a Redis that was started, emptied or exchanged is compared with before anything is drawn from it. It is
	// read in the background whenever that is needed. Without it every Redis is trusted, and Rebuild is up to the caller.
	History History
}

const (
	defaultCallTimeout = time.Second
	defaultBackoff     = 5 * time.Millisecond
	defaultLanes       = 2
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
	return c
}

// Validate reports everything that is wrong with the configuration. It never repeats the URL, which may hold a password.
func (c Config) Validate() error {
	c = c.withDefaults()
	var wrong []error
	if _, err := redis.ParseURL(c.URL); err != nil {
		wrong = append(wrong, errors.New("redis url: must be redis://host:port or rediss://host:port, with user:password@ if needed"))
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

// options are those of a client whose repeats are ours alone: its own would run a script again behind our back.
func (c Config) options() (*redis.Options, error) {
	options, err := redis.ParseURL(c.URL)
	if err != nil {
		return nil, c.Validate()
	}
	options.Protocol = 2
	options.DisableIdentity = true
	options.MaxRetries = -1
	options.DialerRetries = 1
	options.ContextTimeoutEnabled = true
	options.DialTimeout = c.CallTimeout
	options.ReadTimeout = c.CallTimeout
	options.WriteTimeout = c.CallTimeout
	options.PoolTimeout = c.CallTimeout
	options.PoolSize = c.Lanes + 6 // the lanes, and who administers or looks
	options.PipelinePoolSize = -1
	return options, nil
}
