package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

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
	if first != second {
		t.Errorf("got %+v, then %+v", first, second)
	}
}

func TestReferenceThatIsNotKnownNow(t *testing.T) {
	sim := simulator(t)
	r := relayTo(t, sim.GatewayURL(), nil)
	key := r.keys[testKey.AppKey]
	if got, err := r.reference(t.Context(), key, ""); got != "" || err != nil {
		t.Errorf("no order: %q, %v", got, err)
	}
	if got, err := r.reference(t.Context(), key, "404404404"); got != "" || err != nil {
		t.Errorf("an order that the key cannot see: %q, %v", got, err)
	}
	if err := sim.Inject(sim1688.Fault{Operation: "get.buyerView", Kind: "http_502_html", Count: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.reference(t.Context(), key, "404404404"); err == nil {
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
