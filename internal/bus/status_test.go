package bus

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestServeStatus(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	if _, err := b.QueueStatus(bounded(t)); err == nil || !strings.Contains(err.Error(), "nobody answers") {
		t.Errorf("%v", err)
	}
	beats := make(chan string)
	ready, listened := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(listened)
		for instance, body := range b.Beats(bounded(t), func() { close(ready) }) {
			beats <- instance + " " + string(body)
			break
		}
	}()
	receive(t, ready)
	if _, err := b.ServeStatus(t.Context(), "a.b", time.Hour, nil); err == nil {
		t.Error("an instance that is no subject token")
	}
	stop, err := b.ServeStatus(t.Context(), "w1", time.Millisecond, func(context.Context) any { return map[string]int{"waiting": 7} })
	must(t, err)
	if got := receive(t, beats); got != `w1 {"waiting":7}` {
		t.Errorf("beat %s", got)
	}
	receive(t, listened)
	if status, err := b.QueueStatus(bounded(t)); err != nil || string(status) != `{"waiting":7}` {
		t.Errorf("%s, %v", status, err)
	}
	stop()
	if _, err := b.QueueStatus(bounded(t)); err == nil {
		t.Error("answers after stop")
	}
}

// TestCloseEndsServicesAndWatches leaves them all running; the leak check of the package is the other half of the test.
func TestCloseEndsServicesAndWatches(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	_, err := b.AdminKeys(t.Context(), (&safe{}).endpoints()...)
	must(t, err)
	_, err = b.ServeStatus(t.Context(), "w1", time.Hour, func(context.Context) any { return 1 })
	must(t, err)
	ready, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for message, err := range b.Watch(context.Background(), WatchOptions{Ready: func() { close(ready) }}) {
			t.Errorf("a message that nobody published: %+v, %v", message, err)
		}
	}()
	receive(t, ready)
	must(t, b.Close())
	receive(t, watched)
}
