package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

func TestPushesCarryTheReference(t *testing.T) {
	sim := simulator(t)
	for name, known := range map[string]bool{"placed by this relay": true, "placed by another": false} {
		t.Run(name, func(t *testing.T) {
			sim.Reset()
			pushed := make(chan worker.Push, 16)
			r := relayTo(t, sim.GatewayURL(), func(c *Config) {
				c.Messages = sim.MessagesURL()
				c.OnPush = func(_ context.Context, push worker.Push) error {
					pushed <- push
					return nil
				}
			})
			placing := r
			if !known {
				placing = relayTo(t, sim.GatewayURL(), nil)
			}
			placed := placing.Place(t.Context(), order(reference))
			if placed.Verdict != worker.Placed {
				t.Fatalf("got %+v", placed)
			}
			running(t, r)
			push := within(t, pushed)
			if push.OrderID != placed.Orders[0].ID || push.Reference != reference || push.AppKey != testKey.AppKey || push.Topic == "" {
				t.Errorf("got %+v", push)
			}
		})
	}
}

func TestPushThatNobodyTakesComesAgain(t *testing.T) {
	sim := simulator(t)
	tries := make(chan worker.Push, 16)
	var once sync.Once
	r := relayTo(t, sim.GatewayURL(), func(c *Config) {
		c.Messages = sim.MessagesURL()
		c.OnPush = func(_ context.Context, push worker.Push) (err error) {
			once.Do(func() { err = errors.New("no worker is connected") })
			tries <- push
			return err
		}
	})
	if got := r.Place(t.Context(), order(reference)); got.Verdict != worker.Placed {
		t.Fatalf("got %+v", got)
	}
	running(t, r)
	first, second := within(t, tries), within(t, tries)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("got %+v, then %+v", first, second)
	}
}

// TestPushesThatNobodyTakesAreOneLine: while no worker is connected 1688 sends pushes again and again; the log says so
// once, and once that it is over.
func TestPushesThatNobodyTakesAreOneLine(t *testing.T) {
	sim := simulator(t)
	var log logged
	tries := make(chan worker.Push, 64)
	var taken atomic.Bool
	r := relayTo(t, sim.GatewayURL(), func(c *Config) {
		c.Messages, c.Log = sim.MessagesURL(), zerolog.New(&log).Level(zerolog.InfoLevel)
		c.OnPush = func(_ context.Context, push worker.Push) error {
			tries <- push
			if !taken.Load() {
				return errors.New("no worker is connected")
			}
			return nil
		}
	})
	if got := r.Place(t.Context(), order(reference)); got.Verdict != worker.Placed {
		t.Fatalf("got %+v", got)
	}
	running(t, r)
	within(t, tries)
	for range 5 {
		sim.Push(testKey.AppKey, "TEST", json.RawMessage(`{}`))
		within(t, tries)
	}
	taken.Store(true)
	sim.Push(testKey.AppKey, "TEST", json.RawMessage(`{}`))
	log.await(t, "pushes are stored again")
	if n := log.count("no worker is connected"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
}

// logged is a log that can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func (l *logged) await(t *testing.T, text string) {
	t.Helper()
	late, again := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for l.count(text) == 0 {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("waited in vain for %q", text)
		}
	}
}

func TestReferenceThatIsNotKnownNow(t *testing.T) {
	sim := simulator(t)
	r := relayTo(t, sim.GatewayURL(), nil)
	key := r.keys[testKey.AppKey]
	if got, unseen, err := r.reference(t.Context(), key, ""); got != "" || unseen || err != nil {
		t.Errorf("no order: %q, %v, %v", got, unseen, err)
	}
	if got, unseen, err := r.reference(t.Context(), key, "404404404"); got != "" || !unseen || err != nil {
		t.Errorf("an order that the key cannot see: %q, %v, %v", got, unseen, err)
	}
	if err := sim.Inject(sim1688.Fault{Operation: "get.buyerView", Kind: "http_502_html", Count: 1}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.reference(t.Context(), key, "404404404"); err == nil {
		t.Error("a detail that failed is taken for an order without reference")
	}
}

func TestOriginsAreBounded(t *testing.T) {
	o := newOrigins(3)
	for i := range 5 {
		o.add(fmt.Sprint(i), "r")
		o.add(fmt.Sprint(i), "another: the first stands")
	}
	for i, want := range []bool{false, false, true, true, true} {
		if got, ok := o.get(fmt.Sprint(i)); ok != want || ok && got != "r" {
			t.Errorf("%d: %q, %v", i, got, ok)
		}
	}
	if len(o.known) != 3 {
		t.Errorf("%d known", len(o.known))
	}
}
