package workertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// errNotYet is the answer of a server that has not come that far.
var errNotYet = errors.New("not yet")

// do does something with a server; the test fails if it does not work.
func (s *RedisServer) do(do func(context.Context, *redis.Client) error) {
	s.t.Helper()
	if err := s.try(do); err != nil {
		s.t.Fatalf("redis-server on %s: %v", s.Addr, err)
	}
}

// await does something with a server again and again until it works; the test fails if it never does.
func (s *RedisServer) await(what string, do func(context.Context, *redis.Client) error) {
	s.t.Helper()
	limit, again := time.After(startTimeout), time.NewTicker(20*time.Millisecond)
	defer again.Stop()
	for {
		err := s.try(do)
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			s.t.Fatalf("redis-server on %s: waited %v in vain for %s: %v", s.Addr, startTimeout, what, err)
		}
	}
}

func (s *RedisServer) try(do func(context.Context, *redis.Client) error) error {
	client := redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1})
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return do(ctx, client)
}

// FlushAll lets the server forget everything.
func (s *RedisServer) FlushAll() {
	s.t.Helper()
	s.do(func(ctx context.Context, client *redis.Client) error { return client.FlushAll(ctx).Err() })
}

// ReplicaOf makes the server a replica of another one and returns once it has that one's data; of nil, a primary.
func (s *RedisServer) ReplicaOf(primary *RedisServer) {
	s.t.Helper()
	host, port := "NO", "ONE"
	if primary != nil {
		host, port, _ = strings.Cut(primary.Addr, ":")
	}
	s.do(func(ctx context.Context, client *redis.Client) error { return client.ReplicaOf(ctx, host, port).Err() })
	if primary != nil {
		s.await("its copy of the data", func(ctx context.Context, client *redis.Client) error {
			return says(client.Info(ctx, "replication"), "role:slave", "master_link_status:up")
		})
	}
}

// says returns nil if a server's answer has all these lines.
func says(answer *redis.StringCmd, lines ...string) error {
	text, err := answer.Result()
	for _, line := range lines {
		if err == nil && !strings.Contains(text, line+"\r\n") {
			err = fmt.Errorf("%w: %s", errNotYet, line)
		}
	}
	return err
}
