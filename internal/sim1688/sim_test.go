package sim1688

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestTwoSimulatorsDoNotMeet(t *testing.T) {
	one, two := start(t), start(t)
	one.create("a.1", someLines(2)...)
	one.inject(Fault{Operation: "*", Kind: "throttled"})
	two.create("a.1", someLines(1)...).mustHave(t, http.StatusOK, `"success":true`)
	if a, b := one.Keys()[0].Products, two.Keys()[0].Products; a != 2 || b != 1 {
		t.Errorf("%d and %d products", a, b)
	}
}

// Everything open at once: an idle connection, a call held by a fault, one session connected, one that never said CONNECT.
func TestCloseLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	w := start(t)
	w.call(listOrders)
	w.listen(t)
	w.dial(t)
	w.inject(Fault{Operation: "*", Kind: "latency", DelayMS: 3_600_000})
	held := make(chan error)
	go func() {
		_, err := w.try(listOrders)
		held <- err
	}()
	await(t, "the held call", func() bool { return w.Faults()[0].Hits == 1 })
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if n := w.Sessions(testKey); n != 0 {
		t.Errorf("Close did not wait for %d sessions", n)
	}
	if err := <-held; err == nil {
		t.Error("the held call was answered")
	}
	w.http.CloseIdleConnections()
	goleak.VerifyNone(t, before)
	if err := w.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := w.try(listOrders); err == nil {
		t.Error("the port is open still")
	}
}

func TestContextEndsTheSimulator(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Start(ctx, Config{})
	if err != nil {
		t.Fatal(err)
	}
	conn, resp, err := (&websocket.Dialer{HandshakeTimeout: patience}).Dial(s.MessagesURL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	defer conn.Close()
	cancel()
	if _, _, err := conn.ReadMessage(); err == nil {
		t.Error("the session goes on")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	for name, cfg := range map[string]Config{
		"gateway": {GatewayAddr: addr}, "messages": {MessagesAddr: addr}, "admin": {AdminAddr: addr},
	} {
		if _, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), name+" port "+addr) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Start(t.Context(), Config{AdminAddr: "nowhere"}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v", err)
	}
}

func TestURLsCanBeDialled(t *testing.T) {
	w := start(t, func(cfg *Config) { cfg.AdminAddr = ":0" })
	if !strings.HasPrefix(w.AdminURL(), "http://127.0.0.1:") {
		t.Errorf("admin at %s", w.AdminURL())
	}
	w.adminGet("/healthz").mustHave(t, http.StatusOK)
}

func TestConfigNamesEveryProblem(t *testing.T) {
	cfg := Config{
		Count: "pieces", Resend: -1,
		Keys:   []Key{{AppKey: "a b", Secret: "marker"}, {AppKey: "k"}, {AppKey: "k", Secret: "marker", Limit: -1}},
		Offers: []Offer{{OfferID: "x"}, {OfferID: "1", SpecIDs: []string{"y"}}, {OfferID: "1"}, {OfferID: "2", Seller: "s", Stock: -1}},
	}
	_, err := Start(t.Context(), cfg)
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{`Count: "pieces"`, "Resend", `Keys[0]: app_key: "a b"`, "Keys[1]: secret", "Keys[2]: limit", `Keys[2]: app_key "k" stands twice`,
		"Offers[0]: offer_id", "Offers[1]: spec_ids", `Offers[2]: offer_id "1" stands twice`, "Offers[2]: seller", "Offers[3]: price_fen"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "marker") {
		t.Error("a secret is told")
	}
}

func TestKeyHidesItsSecrets(t *testing.T) {
	key := Key{AppKey: "k", Secret: "marker", RefreshToken: "marker", AccessToken: "marker"}
	for _, text := range []string{fmt.Sprint(key), fmt.Sprintf("%v %+v %#v %s", key, &key, key, []Key{key}), string(encode(key))} {
		if strings.Contains(text, "marker") {
			t.Errorf("told in %s", text)
		}
	}
}

func TestDefaultCatalogue(t *testing.T) {
	offers := DefaultCatalogue()
	if !reflect.DeepEqual(offers, DefaultCatalogue()) {
		t.Error("not the same twice")
	}
	if err := (Config{Count: "lines", Offers: offers}).validate(); err != nil {
		t.Error(err)
	}
	sellers := map[string]bool{}
	var soldOut, bulk, plain, free, notByAPI int
	for _, o := range offers {
		sellers[o.Seller] = true
		if len(o.OfferID) < 12 {
			t.Errorf("offer id %s", o.OfferID)
		}
		soldOut += count(o.Stock == 0)
		bulk += count(o.MinQuantity > 1)
		plain += count(len(o.SpecIDs) == 0)
		free += count(o.PriceFen == 0)
		notByAPI += count(o.NotByAPI)
	}
	if len(offers) != 60 || len(sellers) != 8 || soldOut != 1 || bulk != 1 || plain != 1 || free != 1 || notByAPI != 1 {
		t.Errorf("%d offers, %d sellers, %d %d %d %d %d", len(offers), len(sellers), soldOut, bulk, plain, free, notByAPI)
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// Many clients at once: what they were told is what the books hold.
func TestConcurrentCreates(t *testing.T) {
	const clients, each = 16, 20
	w := start(t)
	line := someLines(1)[0]
	if err := w.SetStock(line.OfferID, line.SpecID, 2*(clients*each-5)); err != nil {
		t.Fatal(err)
	}
	var told sync.Map
	var group sync.WaitGroup
	for n := range clients {
		group.Go(func() {
			for i := range each {
				r, err := w.try(fastCreate, createParams(fmt.Sprintf("c%d.%d", n, i), []Line{line})...)
				if err != nil {
					t.Error(err)
					return
				}
				if strings.Contains(r.body, `"success":true`) {
					told.Store(r.body, true)
				}
			}
		})
	}
	group.Wait()
	var n int
	told.Range(func(any, any) bool { n++; return true })
	orders := w.Orders(OrderFilter{})
	if n != clients*each-5 || len(orders) != n || w.Keys()[0].Products != int64(n) {
		t.Errorf("%d told, %d orders, %+v", n, len(orders), w.Keys())
	}
}

func BenchmarkCreate(b *testing.B) {
	w := start(b)
	lines := someLines(3)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := w.try(fastCreate, createParams("acme.PR-"+fmt.Sprint(i), lines)...); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
