package bus

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
)

// TestALostAnswerIsNotWaitedForForEver: the broker took the question and died, as it does under somebody who has set itself no time.
func TestALostAnswerIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	asked := make(chan *nats.Msg, 1)
	silent, err := b.conn.ChanSubscribe(directPrefix+"SILENT.>", asked)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Unsubscribe() }()
	if _, err := b.lastOf(context.WithoutCancel(t.Context()), "SILENT", "x"); !errors.Is(err, nats.ErrTimeout) || len(asked) != 1 {
		t.Errorf("asked %d times: %v", len(asked), err)
	}
}
