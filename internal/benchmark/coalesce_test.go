package benchmark

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

// countMany is one script for as many calls as wait for it.
var countMany = redis.NewScript("for i = 1, ARGV[1] do redis.call('HINCRBY', KEYS[1], 'n', 1) end return 1")

// coalesce has the calls of a bare loop that come while one is under way travel together, as one script.
func (l *bare) coalesce(t testing.TB) *bare {
	t.Helper()
	if err := countMany.Load(t.Context(), l.redis).Err(); err != nil {
		t.Fatal(err)
	}
	calls, done := make(chan chan error, l.concurrent), make(chan struct{})
	t.Cleanup(func() { close(calls); <-done })
	go func() {
		defer close(done)
		for first := range calls {
			batch := []chan error{first}
			for more := true; more; {
				select {
				case next, open := <-calls:
					if more = open; open {
						batch = append(batch, next)
					}
				default:
					more = false
				}
			}
			err := countMany.EvalSha(context.Background(), l.redis, l.keys, len(batch)).Err()
			for _, call := range batch {
				call <- err
			}
		}
	}()
	l.count = func(context.Context) error {
		call := make(chan error, 1)
		calls <- call
		return <-call
	}
	return l
}
