package bus

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// TestAServerRestartLosesNothing restarts the server under eight busy callers.
func TestAServerRestartLosesNothing(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{AckWait: 2 * time.Second})
	in := openInbox(t, b)
	const n = 200
	submit(t, b, numbered(n)...)
	var mutex sync.Mutex
	done := map[uint64]bool{}
	half, all := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(bounded(t))
	ended := crew(ctx, in, 8, func(d worker.Delivery) {
		if d.Receipt.Ack(ctx) != nil {
			return
		}
		mutex.Lock()
		defer mutex.Unlock()
		done[d.Sequence] = true
		switch len(done) {
		case n / 2:
			closeOnce(half)
		case n:
			closeOnce(all)
		}
	})
	receive(t, half)
	server.Restart()
	receive(t, all)
	cancel()
	ended()
	until(t, "all is acknowledged", func() bool {
		info := consumerInfo(t, b)
		return info.NumPending == 0 && info.NumAckPending == 0
	})
}

// TestWorkOverARestartStaysWithItsWorker: the sign of life and the ack go on with the connection.
func TestWorkOverARestartStaysWithItsWorker(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{AckWait: 3 * time.Second})
	in := openInbox(t, b)
	submit(t, b, "PR-1", "PR-2")
	d := next(t, in)
	server.Restart()
	if other := next(t, in); other.Sequence == d.Sequence || other.Attempt != 1 {
		t.Errorf("%+v", other)
	}
	must(t, d.Receipt.Ack(bounded(t)))
}

func TestCallersAreToldThatTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	in := openInbox(t, b)
	told := make(chan error)
	go func() {
		_, err := in.Next(bounded(t))
		told <- err
	}()
	server.Stop()
	if trouble := worker.AsTrouble(receive(t, told)); trouble.Code != worker.CodeNATSDown {
		t.Errorf("told %v", trouble)
	}
	if trouble := worker.AsTrouble(in.Ready(t.Context())); trouble.Code != worker.CodeNATSDown {
		t.Errorf("the inbox says %v while the broker is away", trouble)
	}
	server.Restart()
	until(t, "the inbox is back", func() bool { return in.Ready(t.Context()) == nil })
	submit(t, b, "PR-1")
	if d := next(t, in); d.Attempt != 1 {
		t.Errorf("%+v", d)
	}
}

func TestARemovedConsumerIsMadeAgain(t *testing.T) {
	t.Parallel()
	var raised alarms
	b, _ := provisioned(t, Config{Alarm: raised.add})
	in := openInbox(t, b)
	submit(t, b, "PR-1")
	must(t, next(t, in).Receipt.Ack(bounded(t)))
	got := make(chan worker.Delivery)
	go func() {
		d, err := in.Next(bounded(t))
		if err != nil {
			t.Error(err)
		}
		got <- *d
	}()
	until(t, "the pull is out", func() bool { return consumerInfo(t, b).NumWaiting > 0 })
	must(t, b.js.DeleteConsumer(bounded(t), StreamRequests, ConsumerWorker))
	if d := receive(t, got); d.Ref != "PR-1" || d.Attempt != 2 {
		t.Errorf("%+v: what is stored comes once more, and not as if it were new", d)
	}
	if len(raised.list()) != 1 {
		t.Errorf("alarms: %q", raised.list())
	}
}

// TestAConsumerMadeAnewByOthersIsNoticed: nobody waits here while an operator removes the consumer and makes it again, so that no
// pull ends with it. What the old one may have delivered is not taken for untouched, and what comes later is.
func TestAConsumerMadeAnewByOthersIsNoticed(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	submit(t, b, "PR-1", "PR-2")
	for range 2 {
		must(t, next(t, in).Receipt.Ack(bounded(t)))
	}
	must(t, b.js.DeleteConsumer(bounded(t), StreamRequests, ConsumerWorker))
	must(t, b.Provision(bounded(t)))
	for _, want := range []string{"PR-1", "PR-2"} {
		if d := next(t, in); d.Ref != want || d.Attempt != 2 {
			t.Errorf("%s as attempt %d, want %s as the second", d.Ref, d.Attempt, want)
		}
	}
	submit(t, b, "PR-3")
	if d := next(t, in); d.Ref != "PR-3" || d.Attempt != 1 {
		t.Errorf("%s as attempt %d, want PR-3 as the first", d.Ref, d.Attempt)
	}
}

func TestCloseSendsCallersAway(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	told := make(chan error)
	go func() {
		_, err := in.Next(context.Background())
		told <- err
	}()
	must(t, b.Close())
	if err := receive(t, told); !errors.Is(err, errClosed) {
		t.Errorf("told %v", err)
	}
	if _, err := in.Next(context.Background()); !errors.Is(err, errClosed) {
		t.Errorf("Next after Close: %v", err)
	}
	if err := in.Ready(context.Background()); !errors.Is(err, errClosed) {
		t.Errorf("Ready after Close: %v", err)
	}
	must(t, b.Close())
}

func TestInboxNeedsItsStream(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	if _, err := b.Inbox(bounded(t)); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("error %v", err)
	}
}
