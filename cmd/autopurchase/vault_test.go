package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/relay"
	"autopurchase/internal/seal"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// TestRelaysShareTheirTokens: twenty workers at two relays, tokens that end after two seconds, refresh tokens that are good once. Each
// token is refreshed once whoever asks, and a relay that is started later goes on with the last one. The workers take their time: on
// a machine that is out of breath, a token would end on its way.
func TestRelaysShareTheirTokens(t *testing.T) {
	const appKey, secret, first = "1000001", markerSecret, markerToken
	const life = 2 * time.Second
	sim, err := sim1688.Start(t.Context(), sim1688.Config{
		Keys:      []sim1688.Key{{AppKey: appKey, Secret: secret, RefreshToken: first, Limit: 1 << 30}},
		Offers:    []sim1688.Offer{{OfferID: "700000000001", Seller: "s", PriceFen: 199, Stock: 1 << 30, MinQuantity: 1}},
		TokenLife: life, RefreshOnce: true,
	})
	must(t, err)
	t.Cleanup(func() { _ = sim.Close() })
	identity := filepath.Join(t.TempDir(), "identity")
	_, err = seal.NewIdentity(identity)
	must(t, err)
	ring, err := seal.LoadIdentities(identity)
	must(t, err)
	redis := keypool.Config{URL: workertest.Redis(t).URL, CallTimeout: 5 * time.Second}
	sealKey(t, redis, appKey, secret, first, ring)

	newRelay := func() *relay.Relay {
		t.Helper()
		guest := redis
		guest.Guest = true
		pool, err := keypool.Open(t.Context(), guest)
		must(t, err)
		t.Cleanup(func() { must(t, pool.Close()) })
		r, err := relay.New(sealedWith(relay.Config{Gateway: sim.GatewayURL(), Log: zerolog.Nop()}, ring, pool))
		must(t, err)
		ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		t.Cleanup(func() { stop(); must(t, <-done) })
		return r
	}
	place := func(r *relay.Relay, reference string) {
		got := r.Place(t.Context(), worker.Order{
			Reference: reference, AppKey: appKey, Flow: "general", Lines: []worker.Line{{OfferID: "700000000001", Quantity: 1}},
			DeliverTo: worker.Address{FullName: "张三三", Mobile: "13800138000", Province: "上海", City: "上海市", Address: "陕西南路1号"},
		})
		if got.Verdict != worker.Placed {
			t.Errorf("%s: %+v", reference, got)
		}
	}
	began, pace := time.Now(), rate.NewLimiter(200, 20)
	var workers sync.WaitGroup
	for n := range 2 {
		r := newRelay()
		for w := range 10 {
			workers.Go(func() {
				for i := 0; time.Since(began) < 3*life && !t.Failed() && pace.Wait(t.Context()) == nil; i++ {
					place(r, fmt.Sprintf("acme.PR-%d-%d-%d-1", n, w, i))
				}
			})
		}
	}
	workers.Wait()
	most := int64(time.Since(began)/(life*8/10)) + 1
	if n := sim.Keys()[0].Refreshes; n < 3 || n > most {
		t.Errorf("%d refreshes, want 3 to %d", n, most)
	}
	place(newRelay(), "acme.PR-later-1")
}

// TestTheEndOfAnAuthorizationIsInTheJournal once, however many relays tell of it.
func TestTheEndOfAnAuthorizationIsInTheJournal(t *testing.T) {
	t.Parallel()
	pool, err := keypool.Open(t.Context(), keypool.Config{URL: workertest.Redis(t).URL})
	must(t, err)
	t.Cleanup(func() { must(t, pool.Close()) })
	_, err = pool.Add(t.Context(), keypool.Key{Pool: defaultPool, AppKey: "1000001"})
	must(t, err)
	for range 2 {
		config := sealedWith(relay.Config{}, seal.Keyring{}, pool)
		must(t, config.OnEnding(t.Context(), relay.Ending{Pool: defaultPool, AppKey: "1000001", At: time.UnixMilli(1800000000000), Days: 14}))
	}
	events, err := pool.Events(t.Context(), defaultPool)
	must(t, err)
	events = slices.DeleteFunc(events, func(e worker.PoolEvent) bool { return e.Kind != worker.EventEnding })
	if len(events) != 1 || events[0].Why != "within 14 days, on 2027-01-15" || events[0].AppKey != "1000001" {
		t.Errorf("events %+v", events)
	}
}

// sealKey adds a key to the default pool with its secret and refresh token, as a worker does that administrators ask.
func sealKey(t *testing.T, redis keypool.Config, appKey, secret, refresh string, ring seal.Keyring) {
	t.Helper()
	var undo cleanup
	s, err := openStores(t.Context(), bus.Config{URL: workertest.NATS(t).URL}, redis, &undo)
	must(t, err)
	t.Cleanup(func() { must(t, undo.run(stopBudget)) })
	must(t, s.addRecipients(t.Context(), ring.Recipients()))
	must(t, s.onRecord(t.Context(), defaultPool, func() error {
		_, err := s.pool.Add(t.Context(), keypool.Key{Pool: defaultPool, AppKey: appKey})
		return err
	}))
	sealed := func(value, of string) keypool.Sealed {
		text, err := seal.Seal(value, ring.Recipients())
		must(t, err)
		return keypool.Sealed{Text: text, Fingerprint: seal.Fingerprint(of)}
	}
	_, err = s.pool.SealSecret(t.Context(), defaultPool, appKey, sealed(secret, secret), keypool.Change{By: "li"})
	must(t, err)
	_, err = s.pool.SealTokens(t.Context(), defaultPool, appKey, sealed(relay.Tokens{RefreshToken: refresh}.Text(), refresh), keypool.Change{By: "li"})
	must(t, err)
}
