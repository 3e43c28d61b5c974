package benchmark

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"autopurchase/internal/bus"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// bare does the input and output of a purchase, in the same order and as many bytes, and nothing else.
type bare struct {
	*rig
	redis  *redis.Client
	peer   *caller
	result []byte
	keys   []string
}

// bareLoop is the other side.
func (r *rig) bareLoop(concurrent int) side {
	ask, reply, result := texts()
	l := &bare{rig: r, redis: openRedis(r, r.redisURL, concurrent), peer: dial(r, ask, reply), result: result, keys: []string{"bare"}}
	r.must(count.Load(r.Context(), l.redis).Err())
	return func(n int) time.Duration {
		r.publish(n)
		return l.run(concurrent, n)
	}
}

func (l *bare) run(concurrent, n int) time.Duration {
	consumer, err := l.js.Consumer(l.Context(), bus.StreamRequests, bus.ConsumerWorker)
	l.must(err)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(concurrent))
	l.must(err)
	defer messages.Stop()
	watchdog := time.AfterFunc(patience, messages.Stop)
	defer watchdog.Stop()
	return clock(l, concurrent, n, func() error { return l.one(messages) })
}

func (l *bare) one(messages jetstream.MessagesContext) error {
	msg, err := messages.Next()
	if err != nil {
		return err
	}
	drawn := count.EvalSha(l.Context(), l.redis, l.keys).Err()
	asked := l.peer.call()
	settled := count.EvalSha(l.Context(), l.redis, l.keys).Err()
	subject := strings.Replace(msg.Subject(), "request", "result", 1)
	_, published := l.js.Publish(l.Context(), subject, l.result)
	return errors.Join(drawn, asked, settled, published, msg.DoubleAck(l.Context()))
}

// texts are as long as what our side sends and gets for the same request.
func texts() (ask []byte, reply int, result []byte) {
	const envelope = len(`{"v":1,"type":"ask","id":"123456","op":"place","deadline_ms":1767225630000,"body":}`)
	q := request("PR-123456")
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
