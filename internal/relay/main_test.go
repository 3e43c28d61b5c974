package relay

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"autopurchase/internal/channel"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ channel.Desk = (*Relay)(nil)

const patience = 10 * time.Second

const reference = "acme.PR-1-1"

// simKey is known to the simulator, and testKey is the relay's half of it.
var (
	simKey  = sim1688.Key{AppKey: "1000001", Secret: "MARKER-secret", RefreshToken: "MARKER-refresh", Member: "b2b-1"}
	testKey = Key{AppKey: simKey.AppKey, Secret: simKey.Secret, RefreshToken: simKey.RefreshToken}
)

func simulator(t *testing.T) *sim1688.Sim {
	t.Helper()
	sim, err := sim1688.Start(context.Background(), sim1688.Config{
		Keys:   []sim1688.Key{simKey},
		Offers: []sim1688.Offer{{OfferID: "700000000001", Seller: "s", PriceFen: 199, Stock: 1000, MinQuantity: 1}},
		Resend: 20 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	return sim
}

// relayTo makes a relay with the test key.
func relayTo(t *testing.T, gateway string, change func(*Config)) *Relay {
	t.Helper()
	config := Config{Gateway: gateway, Keys: []Key{testKey}, Timeout: 5 * time.Second}
	if change != nil {
		change(&config)
	}
	r, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.client.Close)
	return r
}

func gateway(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// running runs the relay until the test ends.
func running(t *testing.T, r *Relay) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := within(t, done); err != nil {
			t.Error(err)
		}
	})
}

func within[T any](t *testing.T, from <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(patience):
		t.Fatal("nothing within ten seconds")
	}
	return value
}

func order(reference string) worker.Order {
	return worker.Order{
		Reference: reference, AppKey: testKey.AppKey, Flow: "general",
		DeliverTo: worker.Address{FullName: "张三三", Mobile: "13800138000", Province: "上海", City: "上海市", Address: "陕西南路1号"},
		Lines:     []worker.Line{{OfferID: "700000000001", Quantity: 1}},
	}
}
