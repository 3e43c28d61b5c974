package benchmark

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// bare does the input and output of a purchase, in the same order and as many bytes, and nothing else.
type bare struct {
	*Rig
	concurrent int
	redis      redis.UniversalClient
	count      func(ctx context.Context) error // the script
	peer       *caller
	takes      time.Duration // of the platform, beside the peer
	result     []byte
	keys       []string
}

// count is the smallest script that writes.
var count = redis.NewScript("return redis.call('HINCRBY', KEYS[1], 'n', 1)")

// bareLoop is the other side.
func (r *Rig) bareLoop(ctx context.Context, concurrent int) (*bare, error) {
	ask, reply, result := texts()
	client, err := r.plainRedis(ctx, concurrent)
	if err != nil {
		return nil, err
	}
	peer, err := r.dial(ctx, ask, reply)
	l := &bare{Rig: r, concurrent: concurrent, redis: client, peer: peer, result: result, keys: []string{keypool.Beside(r.Pool, "bare")}}
	l.count = func(ctx context.Context) error { return count.EvalSha(ctx, l.redis, l.keys).Err() }
	return l, err
}

// plainRedis is the client of the bare side: as many connections as callers, and no call is repeated.
func (r *Rig) plainRedis(ctx context.Context, callers int) (redis.UniversalClient, error) {
	client, err := r.redis.Plain(callers)
	if err != nil {
		return nil, err
	}
	r.undo.add(func(context.Context) error { return client.Close() })
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return client, cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return count.Load(ctx, c).Err() })
	}
	return client, count.Load(ctx, client).Err()
}

func (l *bare) run(ctx context.Context, n int) (time.Duration, error) {
	if err := l.publish(ctx, n); err != nil {
		return 0, err
	}
	return l.work(ctx, n, func(string) {})
}

// work takes n requests to their end; told is told the subject of each.
func (l *bare) work(ctx context.Context, n int, told func(subject string)) (time.Duration, error) {
	consumer, err := l.js.Consumer(ctx, l.place.Stream(bus.StreamRequests), bus.ConsumerWorker)
	if err != nil {
		return 0, err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(l.concurrent), jetstream.WithMessagesErrOnMissingHeartbeat(false))
	if err != nil {
		return 0, err
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	return clock(l.concurrent, n, func() error {
		subject, err := l.one(ctx, messages)
		told(subject)
		return err
	})
}

func (l *bare) one(ctx context.Context, messages jetstream.MessagesContext) (string, error) {
	msg, err := messages.Next()
	if err != nil {
		return "", errors.Join(context.Cause(ctx), err)
	}
	drawn := l.count(ctx)
	asked := l.ask(ctx)
	settled := l.count(ctx)
	subject := strings.Replace(msg.Subject(), "request", "result", 1)
	_, published := l.js.Publish(ctx, subject, l.result)
	return subject, errors.Join(drawn, asked, settled, published, msg.DoubleAck(ctx))
}

func (l *bare) ask(ctx context.Context) error {
	if err := l.peer.call(); err != nil || l.takes == 0 {
		return err
	}
	timer := time.NewTimer(l.takes)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// texts are as long as what our side sends and gets for the same request.
func texts() (ask []byte, reply int, result []byte) {
	const envelope = len(`{"v":1,"type":"ask","id":"123456","op":"place","deadline_ms":1767225630000,"body":}`)
	q := request("default", "PR-123456")
	order, _ := json.Marshal(worker.Order{Reference: "bench.PR-123456-1", AppKey: "1000001", Flow: q.Flow, DeliverTo: q.DeliverTo, Lines: q.Lines})
	answer, _ := json.Marshal(placed)
	result = schemas.AppendResult(nil, worker.Result{
		Tenant: tenant, RequestID: q.ID, Outcome: worker.OutcomePlaced, Code: worker.CodePlaced, AppKey: "1000001", Products: 1, Attempt: 1,
		Orders: []worker.ResultOrder{{OrderID: placed.Orders[0].ID, OutOrderID: "bench.PR-123456-1", AppKey: "1000001", Products: 1,
			Total: 4598, Postage: 600, Lines: []int{0}}},
		DecidedAt: time.UnixMilli(1767225630123).UTC(),
	})
	return append(order, make([]byte, envelope)...), len(answer) + envelope/2, result
}
