package bus

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// BenchmarkInbox compares with a plain loop over the client library's iterator: 64 goroutines, each take and confirmed ack.
func BenchmarkInbox(b *testing.B) {
	const callers = 64
	run := func(b *testing.B, take func(*Bus) func(context.Context) error) {
		bus, _ := provisioned(b, Config{})
		requests := func(yield func(Submission) bool) {
			for i := range b.N {
				if !yield(Submission{ID: fmt.Sprintf("PR-%d", i), Body: requestBody("PR", 1)}) {
					return
				}
			}
		}
		must(b, bus.SubmitAll(context.Background(), "acme", requests, func(Outcome) {}))
		one := take(bus)
		b.ResetTimer()
		var running sync.WaitGroup
		for i := range callers {
			running.Go(func() {
				for n := i; n < b.N; n += callers {
					if err := one(context.Background()); err != nil {
						b.Error(err)
					}
				}
			})
		}
		running.Wait()
	}
	b.Run("inbox", func(b *testing.B) {
		run(b, func(bus *Bus) func(context.Context) error {
			in := openInbox(b, bus)
			return func(ctx context.Context) error {
				d, err := in.Next(ctx)
				if err != nil {
					return err
				}
				return d.Receipt.Ack(ctx)
			}
		})
	})
	b.Run("plain", func(b *testing.B) {
		run(b, func(bus *Bus) func(context.Context) error {
			consumer, err := bus.js.Consumer(context.Background(), StreamRequests, ConsumerWorker)
			must(b, err)
			messages, err := consumer.Messages(jetstream.PullMaxMessages(callers))
			must(b, err)
			b.Cleanup(messages.Stop)
			return func(ctx context.Context) error {
				msg, err := messages.Next()
				if err != nil {
					return err
				}
				return msg.DoubleAck(ctx)
			}
		})
	})
}
