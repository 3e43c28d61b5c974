package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/hibiken/asynq"

	"autopurchase/internal/benchmark"
)

// asynqPeer is hibiken/asynq.
type asynqPeer struct {
	*stand
	redis      asynq.RedisConnOpt
	concurrent int
}

const asynqTask = "purchase:request"

func (s *stand) asynq(concurrent int) peer {
	s.Helper()
	redis, err := asynq.ParseRedisURI(s.redisURL)
	s.must(err)
	return &asynqPeer{s, redis, concurrent}
}

func (p *asynqPeer) store(ctx context.Context, first, n int) (err error) {
	client := asynq.NewClient(p.redis)
	defer func() { err = errors.Join(err, client.Close()) }()
	for i := range n {
		id := fmt.Sprint("PR-", first+i)
		if _, err := client.EnqueueContext(ctx, asynq.NewTask(asynqTask, benchmark.Body(id)), asynq.TaskID(id)); err != nil {
			return err
		}
	}
	return nil
}

func (p *asynqPeer) serve(ctx context.Context, h *shift) error {
	server := asynq.NewServer(p.redis, asynq.Config{Concurrency: p.concurrent, LogLevel: asynq.ErrorLevel})
	mux := asynq.NewServeMux()
	mux.HandleFunc(asynqTask, func(ctx context.Context, task *asynq.Task) error {
		if err := h.buy(ctx); err != nil {
			return err
		}
		if err := h.Publish(ctx, "purchase.result.asynq."+task.ResultWriter().TaskID()); err != nil {
			return err
		}
		h.finish()
		return nil
	})
	if err := server.Start(mux); err != nil {
		return err
	}
	defer server.Shutdown()
	return h.wait(ctx)
}
