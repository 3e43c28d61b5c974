package channel

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/worker"
)

func TestEveryOperation(t *testing.T) {
	_, url := serve(t, ServerConfig{})
	var market worker.Market = dialOpen(t, ClientConfig{URL: url}).Client
	answer := *market.Place(t.Context(), new(order("acme.PR-1-1")))
	if want(t, answer, worker.Placed, worker.CodePlaced); answer.Orders[0].ID != "of acme.PR-1-1" || answer.Orders[0].Total != 1999 {
		t.Errorf("got %+v", answer)
	}
	if answer := *market.Find(t.Context(), "1000001", "acme.PR-1-1"); answer.Reason != "1000001 acme.PR-1-1" {
		t.Errorf("find got %+v", answer)
	}
	if answer := market.(*Client).Probe(t.Context(), "1000001"); answer.Reason != "1000001" {
		t.Errorf("probe got %+v", answer)
	}
	client := market.(*Client)
	if answer := client.Check(t.Context(), "1000001", worker.CheckPush); answer.Verdict != worker.Refused || answer.Proof.Topics[0] != "push" {
		t.Errorf("check got %+v", answer)
	}
	asked := worker.Authorization{AppKey: "1000001", RedirectURI: "https://back", Code: "c", State: "s"}
	if answer := client.Authorize(t.Context(), asked); answer.Proof.Address != "https://back" || answer.Proof.State != "1000001cs" {
		t.Errorf("authorize got %+v", answer)
	}
	if answer := client.Detail(t.Context(), "1000001", "11"); answer.Reason != "1000001" || answer.Detail.OrderID != "11" {
		t.Errorf("detail got %+v", answer)
	}
	if answer := client.CancelOrder(t.Context(), "1000001", "11"); answer.Reason != "1000001 11" {
		t.Errorf("cancel got %+v", answer)
	}
	if answer := client.Pay(t.Context(), worker.Charge{AppKey: "1000001", OrderID: "11", Amount: 1999, OpRequestID: "11-1"}); answer.Reason != "11-1" {
		t.Errorf("pay got %+v", answer)
	}
	if answer := client.PayLink(t.Context(), "1000001", []string{"11"}); answer.Reason != "1000001" || answer.Link.Failed[0] != "11" {
		t.Errorf("paylink got %+v", answer)
	}
	if answer := client.List(t.Context(), worker.Leaf{AppKey: "1000001", From: 1, To: 2, Page: 3}); !answer.More || answer.Listed[0].Made != 2 {
		t.Errorf("list got %+v", answer)
	}
	if err := market.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// Eight goroutines on one socket, and then many more than either side takes at once.
func TestManyCallersAtOnce(t *testing.T) {
	for _, test := range []struct{ callers, seats int }{{8, 8}, {100, 16}} {
		var now, most atomic.Int64
		count := func(_ context.Context, o worker.Order) worker.Answer {
			n := now.Add(1)
			defer now.Add(-1)
			for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
			}
			return placed(o.Reference)
		}
		_, url := serve(t, ServerConfig{Desk: desk{place: count}})
		w := dialOpen(t, ClientConfig{URL: url, MaxInFlight: test.seats})
		var callers sync.WaitGroup
		for n := range test.callers {
			callers.Go(func() {
				for m := range 10 {
					reference := fmt.Sprintf("PR-%d-%d", n, m)
					answer := *w.Place(t.Context(), new(order(reference)))
					if want(t, answer, worker.Placed, worker.CodePlaced); len(answer.Orders) != 1 || answer.Orders[0].ID != "of "+reference {
						t.Errorf("%s got %+v", reference, answer)
					}
				}
			})
		}
		callers.Wait()
		if most.Load() > int64(test.seats) {
			t.Errorf("%d in flight, want at most %d", most.Load(), test.seats)
		}
		if len(w.alarms) > 0 {
			t.Errorf("alarm: %s", <-w.alarms)
		}
	}
}

func TestTwoClientsAreServedApart(t *testing.T) {
	server, url := serve(t, ServerConfig{})
	one, two := dialOpen(t, ClientConfig{URL: url}), dialOpen(t, ClientConfig{URL: url})
	eventually(t, "both are connected", func() bool { return server.Workers() == 2 })
	_ = one.Close()
	want(t, *two.Place(t.Context(), new(order("PR"))), worker.Placed, worker.CodePlaced)
	want(t, *one.Place(t.Context(), new(order("PR"))), worker.NotAttempted, worker.CodeChannelDown)
	eventually(t, "one is gone", func() bool { return server.Workers() == 1 })
}

func TestWrongTokenIsReportedAndTriedAgain(t *testing.T) {
	_, url := serve(t, ServerConfig{})
	w := dial(t, ClientConfig{URL: url, Token: "marker-wrong-77aa"})
	why := next(t, w.states)
	if !strings.Contains(why, "401") || strings.Contains(why, "marker") {
		t.Errorf("why %q", why)
	}
	if err := w.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "refuses the token") {
		t.Errorf("Ready says %v", err)
	}
	want(t, *w.Place(t.Context(), new(order("PR"))), worker.NotAttempted, worker.CodeChannelDown)
}

func TestShutdownLetsRunningAsksAnswer(t *testing.T) {
	started, release := make(chan struct{}, 3), make(chan struct{})
	hold := func(_ context.Context, o worker.Order) worker.Answer {
		started <- struct{}{}
		<-release
		return placed(o.Reference)
	}
	server, url := serve(t, ServerConfig{Desk: desk{place: hold}})
	w := dialOpen(t, ClientConfig{URL: url})
	var running []<-chan worker.Answer
	for range 3 {
		running = append(running, later(func() worker.Answer { return *w.Place(t.Context(), new(order("running"))) }))
		next(t, started)
	}
	down := make(chan error, 1)
	go func() { down <- server.Shutdown(t.Context()) }()
	eventually(t, "it drains", func() bool { server.mu.Lock(); defer server.mu.Unlock(); return server.draining })
	want(t, *w.Place(t.Context(), new(order("late"))), worker.NotAttempted, worker.CodeChannelDown)
	if err := server.Push(t.Context(), worker.Push{ID: "1"}); !errors.Is(err, ErrNoWorker) {
		t.Errorf("push while going down: %v", err)
	}
	close(release)
	for _, result := range running {
		want(t, next(t, result), worker.Placed, worker.CodePlaced)
	}
	if err := next(t, down); err != nil {
		t.Error(err)
	}
	w.await(t, "4001")
	w.await(t, "503")
	if err := server.Shutdown(t.Context()); err != nil {
		t.Errorf("second shutdown: %v", err)
	}
}

func TestShutdownCutShort(t *testing.T) {
	started := make(chan struct{})
	hold := func(ctx context.Context, _ worker.Order) worker.Answer {
		close(started)
		<-ctx.Done()
		return *unknown("cancelled")
	}
	server, url := serve(t, ServerConfig{Desk: desk{place: hold}})
	w := dialOpen(t, ClientConfig{URL: url})
	result := later(func() worker.Answer { return *w.Place(t.Context(), new(order("PR"))) })
	next(t, started)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("shutdown: %v", err)
	}
	want(t, next(t, result), worker.Unknown, worker.CodeNoAnswer)
}

func TestReconnectAfterTheRelayWasRestarted(t *testing.T) {
	first := NewServer(ServerConfig{Token: token, Desk: desk{}, Log: zerolog.Nop()})
	var current atomic.Pointer[Server]
	current.Store(first)
	web := httptest.NewServer(httpFunc(current.Load))
	t.Cleanup(web.Close)
	w := dialOpen(t, ClientConfig{URL: wsURL(web)})
	if err := first.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := NewServer(ServerConfig{Token: token, Desk: desk{}, Log: zerolog.Nop()})
	t.Cleanup(func() { _ = second.Shutdown(context.Background()) })
	current.Store(second)
	w.await(t, "open")
	want(t, *w.Place(t.Context(), new(order("PR"))), worker.Placed, worker.CodePlaced)
}

// Everything at debug level, every failure path of this package: neither token nor buyer shows.
func TestNothingSecretIsLogged(t *testing.T) {
	var buffer safeBuffer
	logger := zerolog.New(&buffer).Level(zerolog.DebugLevel)
	throw := func(_ context.Context, o worker.Order) worker.Answer { panic(fmt.Sprint(o)) }
	server := NewServer(ServerConfig{Token: token, Desk: desk{place: throw}, Log: logger})
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	open := make(chan bool, 64)
	c := Dial(t.Context(), ClientConfig{URL: wsURL(web), Token: token, Log: logger, OnState: func(o bool, _ string) { open <- o },
		OnPush: func(context.Context, worker.Push) error { return errors.New("disk full") }})
	next(t, open)
	answer := *c.Place(t.Context(), new(order("PR")))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_ = server.Push(ctx, worker.Push{ID: "p1", AppKey: "1000001", Topic: "T"})
	p := playWorker(t, wsURL(web))
	p.write(`{"v":1,"type":"13800000000","id":"1"}`)
	p.closeCode()
	_ = server.Shutdown(t.Context())
	_ = c.Close()
	text := buffer.String() + answer.Reason
	if !strings.Contains(text, "panic") || !strings.Contains(text, "unconfirmed") {
		t.Errorf("the failures were not logged: %s", text)
	}
	for _, secret := range []string{token, "13800000000", "陕西南路"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows in %s", secret, text)
		}
	}
}

type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func TestOverTLS(t *testing.T) {
	server := NewServer(ServerConfig{Token: token, Desk: desk{}, Log: zerolog.Nop()})
	web := httptest.NewUnstartedServer(server)
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // it reports the stranger's refusal
	web.StartTLS()
	t.Cleanup(web.Close)
	t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	trusting := web.Client().Transport.(*http.Transport).TLSClientConfig
	w := dialOpen(t, ClientConfig{URL: wsURL(web), TLS: &tls.Config{RootCAs: trusting.RootCAs}})
	want(t, *w.Place(t.Context(), new(order("PR"))), worker.Placed, worker.CodePlaced)
	stranger := dial(t, ClientConfig{URL: wsURL(web)})
	stranger.await(t, "certificate")
}
