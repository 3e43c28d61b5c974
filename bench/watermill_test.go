package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/ThreeDotsLabs/watermill"
	wmnats "github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/benchmark"
)

const (
	watermillRequests = "watermill_requests"
	watermillResults  = "watermill_results"
)

// watermillPeer is Watermill with JetStream.
type watermillPeer struct {
	*stand
	js         jetstream.JetStream
	requests   jetstream.Stream
	publisher  *wmnats.Publisher
	concurrent int
}

func (s *stand) watermill(concurrent int) peer {
	s.Helper()
	conn, err := nats.Connect(s.natsURL)
	s.must(err)
	s.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	s.must(err)
	p := &watermillPeer{stand: s, js: js, concurrent: concurrent}
	for _, name := range []string{watermillRequests, watermillResults} {
		_, err := js.CreateStream(s.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{name}, Storage: jetstream.FileStorage})
		s.must(err)
	}
	p.requests, err = js.Stream(s.Context(), watermillRequests)
	s.must(err)
	p.publisher, err = wmnats.NewPublisher(wmnats.PublisherConfig{
		URL: s.natsURL, JetStream: wmnats.JetStreamConfig{TrackMsgId: true},
	}, watermill.NopLogger{})
	s.must(err)
	s.Cleanup(func() { s.must(p.publisher.Close()) })
	return p
}

func (p *watermillPeer) store(ctx context.Context, first, n int) error {
	if err := p.requests.Purge(ctx); err != nil {
		return err
	}
	var waiting []jetstream.PubAckFuture
	for i := range n {
		msg, err := (&wmnats.NATSMarshaler{}).Marshal(watermillRequests, p.message(fmt.Sprint("PR-", first+i)))
		if err != nil {
			return err
		}
		ack, err := p.js.PublishMsgAsync(msg)
		if err != nil {
			return err
		}
		waiting = append(waiting, ack)
	}
	for _, ack := range waiting {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return err
		}
	}
	return nil
}

func (p *watermillPeer) message(id string) *message.Message {
	return message.NewMessage(watermill.NewUUID(), benchmark.Body(id))
}

// serve has a router between the streams. It publishes what the handler returns, and acknowledges then.
func (p *watermillPeer) serve(ctx context.Context, h *shift) error {
	subscriber, err := wmnats.NewSubscriber(wmnats.SubscriberConfig{
		URL: p.natsURL, QueueGroupPrefix: "bench", SubscribersCount: p.concurrent,
		JetStream: wmnats.JetStreamConfig{DurablePrefix: "bench", TrackMsgId: true},
	}, watermill.NopLogger{})
	if err != nil {
		return err
	}
	router, err := message.NewRouter(message.RouterConfig{}, watermill.NopLogger{})
	if err != nil {
		return err
	}
	router.AddHandler("purchase", watermillRequests, subscriber, watermillResults, &lastly{p.publisher, h}, func(msg *message.Message) ([]*message.Message, error) {
		if err := h.buy(msg.Context()); err != nil {
			return nil, err
		}
		return []*message.Message{message.NewMessage(watermill.NewUUID(), h.Result())}, nil
	})
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- router.Run(running) }()
	return errors.Join(h.wait(ctx), router.Close(), <-ended)
}

// lastly publishes, and says that it has. The router closes it with itself; the publisher stays.
type lastly struct {
	*wmnats.Publisher
	shift *shift
}

func (l *lastly) Publish(topic string, messages ...*message.Message) error {
	if err := l.Publisher.Publish(topic, messages...); err != nil {
		return err
	}
	l.shift.finish()
	return nil
}

func (*lastly) Close() error { return nil }
