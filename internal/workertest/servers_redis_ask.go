package workertest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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

// CatchesUp returns once the server, a replica, has everything that its primary has at this moment.
func (s *RedisServer) CatchesUp(primary *RedisServer) {
	s.t.Helper()
	var goal int64
	primary.do(func(ctx context.Context, client *redis.Client) (err error) {
		goal, err = offset(client.Info(ctx, "replication"), "master_repl_offset")
		return err
	})
	s.await("what its primary has", func(ctx context.Context, client *redis.Client) error {
		at, err := offset(client.Info(ctx, "replication"), "slave_repl_offset")
		if err == nil && at < goal {
			err = fmt.Errorf("%w: at %d of %d", errNotYet, at, goal)
		}
		return err
	})
}

func offset(answer *redis.StringCmd, name string) (int64, error) {
	_, rest, _ := strings.Cut(answer.Val(), "\n"+name+":")
	number, _, _ := strings.Cut(rest, "\r")
	if err := answer.Err(); err != nil {
		return 0, err
	}
	return strconv.ParseInt(number, 10, 64)
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
