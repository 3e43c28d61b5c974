package relay

import (
	"context"
	"testing"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

func TestPlaceAndFind(t *testing.T) {
	sim := simulator(t)
	r := relayTo(t, sim.GatewayURL(), nil)
	placed := r.Place(t.Context(), order(reference))
	if placed.Verdict != worker.Placed || len(placed.Orders) != 1 || placed.Orders[0].Total != 199 {
		t.Fatalf("got %+v", placed)
	}
	found := r.Find(t.Context(), testKey.AppKey, reference)
	if found.Verdict != worker.Placed || len(found.Orders) != 1 || found.Orders[0].ID != placed.Orders[0].ID || found.Orders[0].Total != placed.Orders[0].Total {
		t.Errorf("placed %+v, found %+v", placed, found)
	}
	if none := r.Find(t.Context(), testKey.AppKey, "acme.PR-1-10"); none.Verdict != worker.Absent {
		t.Errorf("got %+v", none)
	}
	if probed := r.Probe(t.Context(), testKey.AppKey); probed.Verdict != worker.Placed {
		t.Errorf("got %+v", probed)
	}
}

// Whatever goes wrong at the platform, the verdict must fit the platform's own books.
func TestVerdictsUnderFaults(t *testing.T) {
	for _, c := range []struct {
		kind    string
		count   int64
		verdict worker.Verdict
		code    worker.Code
		orders  int // in the books
	}{
		{"auth_401", 1, worker.Placed, worker.CodePlaced, 1},
		{"auth_401", 0, worker.NotAttempted, worker.CodeUnauthorized, 0},
		{"throttled", 1, worker.NotAttempted, worker.CodeThrottled, 0},
		{"refuse", 1, worker.Refused, worker.CodeOutOfStock, 0},
		{"http_500", 1, worker.Unknown, worker.CodeNoAnswer, 0},
		{"http_502_html", 1, worker.Unknown, worker.CodeNoAnswer, 0},
		{"cut_before", 1, worker.Unknown, worker.CodeNoAnswer, 0},
		{"cut_after", 1, worker.Unknown, worker.CodeNoAnswer, 1},
		{"success_without_id", 1, worker.Unknown, worker.CodeNoAnswer, 1},
		{"empty_object", 1, worker.Unknown, worker.CodeNoAnswer, 1},
		{"id_beside_failure", 1, worker.Placed, worker.CodePlaced, 1},
		{"un_nested", 1, worker.Placed, worker.CodePlaced, 1},
		{"text_success", 1, worker.Placed, worker.CodePlaced, 1},
	} {
		t.Run(c.kind, func(t *testing.T) {
			sim := simulator(t)
			if err := sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: c.kind, Count: c.count}); err != nil {
				t.Fatal(err)
			}
			r := relayTo(t, sim.GatewayURL(), nil)
			got := r.Place(t.Context(), order(reference))
			if got.Verdict != c.verdict || got.Code != c.code {
				t.Errorf("got %+v", got)
			}
			if n := len(sim.Orders(sim1688.OrderFilter{OutOrderID: reference})); n != c.orders {
				t.Errorf("%d orders exist", n)
			}
			found := r.Find(t.Context(), testKey.AppKey, reference)
			if (found.Verdict == worker.Placed) != (c.orders > 0) || (found.Verdict == worker.Absent) != (c.orders == 0) {
				t.Errorf("found %+v", found)
			}
		})
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	sim := simulator(t)
	wrong := testKey
	wrong.AppKey, wrong.Secret = "1000001", "MARKER-wrong"
	r := relayTo(t, sim.GatewayURL(), func(c *Config) {
		c.Keys = []Key{wrong, {AppKey: "1000002"}, {AppKey: "1000003", Secret: "MARKER"}, {AppKey: "1000004", Secret: "MARKER", AccessToken: "MARKER-a"}}
	})
	for key, code := range map[string]worker.Code{
		"1000001": worker.CodeUnauthorized, // the platform turns the secret down
		"1000002": worker.CodeKeyUnknown,   // no secret
		"1000003": worker.CodeUnauthorized, // no token of any kind
		"1000004": worker.CodeUnauthorized, // the platform does not know the key
		"9999999": worker.CodeKeyUnknown,   // not in the file
	} {
		asked := order(reference)
		asked.AppKey = key
		for name, got := range map[string]worker.Answer{
			"place": r.Place(t.Context(), asked), "find": r.Find(t.Context(), key, reference),
		} {
			if got.Verdict != worker.NotAttempted || got.Code != code || got.Reason == "" {
				t.Errorf("%s %s: %+v", key, name, got)
			}
		}
		if probed := r.Probe(t.Context(), key); probed.Verdict != worker.NotAttempted || probed.Code != code {
			t.Errorf("%s probe: %+v", key, probed)
		}
	}
}

func TestGatewayAway(t *testing.T) {
	sim := simulator(t)
	url := sim.GatewayURL()
	_ = sim.Close()
	r := relayTo(t, url, func(c *Config) { c.Keys[0].AccessToken = "MARKER-a" })
	if got := r.Place(t.Context(), order(reference)); got.Verdict != worker.NotAttempted || got.Code != worker.CodeChannelDown {
		t.Errorf("place: %+v", got)
	}
	if got := r.Probe(t.Context(), testKey.AppKey); got.Verdict != worker.NotAttempted || got.Code != worker.CodeChannelDown {
		t.Errorf("probe: %+v", got)
	}
}

func TestRunEndsWithItsContextAndWithAWrongAddress(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := relayTo(t, "", nil).Run(ctx); err != nil {
		t.Error(err)
	}
	wrong := relayTo(t, "", func(c *Config) {
		c.Messages = "http://127.0.0.1"
		c.OnPush = func(context.Context, worker.Push) error { return nil }
	})
	if err := wrong.Run(t.Context()); err == nil {
		t.Error("a message address without ws was taken")
	}
}
