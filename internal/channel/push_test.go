package channel

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"sync"
	"testing"

	"autopurchase/worker"
)

// httpFunc serves with whichever server is current.
func httpFunc(current func() *Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { current().ServeHTTP(w, r) })
}

var paid = worker.Push{ID: "81", AppKey: "1000001", Topic: "ORDER_BUYER_VIEW_ORDER_PAY", OrderID: "2257000000000000973", At: 1767225600000}

func TestPushIsConfirmedOnceTaken(t *testing.T) {
	server, url := serve(t, ServerConfig{})
	if err := server.Push(t.Context(), paid); !errors.Is(err, ErrNoWorker) {
		t.Errorf("nobody is there, and Push says %v", err)
	}
	taken, release := make(chan worker.Push), make(chan struct{})
	w := dialOpen(t, ClientConfig{URL: url, OnPush: func(_ context.Context, p worker.Push) error {
		taken <- p
		<-release
		return nil
	}})
	eventually(t, "connected", func() bool { return server.Workers() == 1 })
	done := make(chan error, 1)
	go func() { done <- server.Push(t.Context(), paid) }()
	if got := next(t, taken); !reflect.DeepEqual(got, paid) {
		t.Errorf("took %+v", got)
	}
	select {
	case err := <-done:
		t.Errorf("confirmed before it was taken: %v", err)
	default:
	}
	want(t, *w.Place(t.Context(), new(order("PR"))), worker.Placed, worker.CodePlaced) // a push in work holds nothing up
	close(release)
	if err := next(t, done); err != nil {
		t.Error(err)
	}
}

func TestPushNotTaken(t *testing.T) {
	server, url := serve(t, ServerConfig{})
	for name, take := range map[string]func(context.Context, worker.Push) error{
		"error": func(context.Context, worker.Push) error { return errors.New("not stored") },
		"panic": func(context.Context, worker.Push) error { panic("no") },
		"nil":   nil,
	} {
		called := make(chan struct{}, 1)
		onPush := take
		if take != nil {
			onPush = func(ctx context.Context, p worker.Push) error { called <- struct{}{}; return take(ctx, p) }
		}
		w := dialOpen(t, ClientConfig{URL: url, OnPush: onPush})
		eventually(t, "connected", func() bool { return server.Workers() == 1 })
		ctx, giveUp := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() { done <- server.Push(ctx, paid) }()
		if take != nil {
			next(t, called)
		}
		impatient := errors.New("impatient")
		giveUp(impatient)
		if err := next(t, done); !errors.Is(err, impatient) {
			t.Errorf("%s: %v", name, err)
		}
		_ = w.Close()
		eventually(t, "gone", func() bool { return server.Workers() == 0 })
	}
}

func TestPushUnconfirmedWhenTheConnectionIsLost(t *testing.T) {
	server, url := serve(t, ServerConfig{})
	p := playWorker(t, url)
	eventually(t, "connected", func() bool { return server.Workers() == 1 })
	done := make(chan error, 1)
	go func() { done <- server.Push(t.Context(), paid) }()
	if f := p.must(); f.Type != typePush {
		t.Errorf("got %s", f.Type)
	}
	_ = p.ws.Close()
	if err := next(t, done); !errors.Is(err, ErrUnconfirmed) {
		t.Errorf("got %v", err)
	}
}

func TestManyPushesToTwoWorkers(t *testing.T) {
	server, url := serve(t, ServerConfig{})
	var mu sync.Mutex
	counts := [2]int{}
	for n := range counts {
		dialOpen(t, ClientConfig{URL: url, OnPush: func(context.Context, worker.Push) error {
			mu.Lock()
			defer mu.Unlock()
			counts[n]++
			return nil
		}})
	}
	eventually(t, "connected", func() bool { return server.Workers() == 2 })
	var pushers sync.WaitGroup
	for range 400 {
		pushers.Go(func() {
			if err := server.Push(t.Context(), paid); err != nil {
				t.Error(err)
			}
		})
	}
	pushers.Wait()
	if counts[0] != 200 || counts[1] != 200 {
		t.Errorf("shared as %v", counts)
	}
}

func TestMorePushesThanAgreedStayUnconfirmed(t *testing.T) {
	url, peers := playRelay(t)
	taken, release := make(chan struct{}, maxPushes+1), make(chan struct{})
	w := dialOpen(t, ClientConfig{URL: url, OnPush: func(context.Context, worker.Push) error {
		taken <- struct{}{}
		<-release
		return nil
	}})
	p := next(t, peers)
	for id := range uint64(maxPushes + 1) {
		text, _ := appendPush(nil, id+1, &paid)
		p.write("%s", text)
	}
	p.write(`{"v":1,"type":"push","id":"900","body":7}`)
	next(t, w.alarms) // of the last push: all before it were seen
	for range maxPushes {
		next(t, taken)
	}
	close(release)
	for range maxPushes {
		if f := p.must(); f.Type != typeConfirm || f.ID > maxPushes {
			t.Errorf("got %s %d", f.Type, f.ID)
		}
	}
	if len(taken) > 0 {
		t.Error("one push too many was taken")
	}
}
