package keypool

import (
	"strings"
	"testing"

	"autopurchase/worker"
)

func business(d worker.Draw) worker.Draw { d.Alipay = worker.AlipayBusiness; return d }

func sold(d worker.Draw, seller string) worker.Draw { d.Seller = seller; return d }

func restrict(t *testing.T, p *Pool, seller, alipay string) {
	t.Helper()
	if err := p.Restrict(t.Context(), "default", seller, alipay, Change{By: "li"}); err != nil {
		t.Fatal(err)
	}
}

// TestOnlyBusinessKeysAreDrawnWhereOneIsNeeded: by the request, or since the seller takes no other.
func TestOnlyBusinessKeysAreDrawnWhereOneIsNeeded(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		add(t, p, Key{Pool: "default", AppKey: "firm", Limit: 10, Alipay: "business"})
		wants := func(d worker.Draw, appKey string) {
			t.Helper()
			if claim := draw(t, p, d); claim.AppKey != appKey {
				t.Errorf("%s is drawn on %s, want %s", d.Reference, claim.AppKey, appKey)
			}
		}
		wants(order1("default", "a", 1), "k1")
		wants(business(order1("default", "b", 1)), "firm")
		wants(sold(order1("default", "c", 1), "shop"), "k1")
		if err := p.Learn(t.Context(), "default", "shop", "business accounts only"); err != nil {
			t.Fatal(err)
		}
		wants(sold(order1("default", "d", 1), "shop"), "firm")
		wants(sold(order1("default", "e", 1), "another"), "k1")
		_, err := p.Draw(t.Context(), new(sold(order1("default", "f", 9), "shop")))
		wantCode(t, err, worker.CodeNoKey)
		if trouble := worker.AsTrouble(err); trouble.Payer.Alipay != "business" || !strings.Contains(trouble.Reason, "business") {
			t.Errorf("%+v", trouble)
		}
		if room, err := p.Room(t.Context(), "default", worker.Payer{Alipay: "business"}); err != nil || room.Lines != 8 {
			t.Errorf("room %+v, %v", room, err)
		}
		restrict(t, p, "shop", "")
		wants(sold(order1("default", "g", 1), "shop"), "k1")
		wantBooks(t, p, "default")
	})
}

// TestAPoolServesItsOwnTenantsOnly: what they had drawn before the others were shut out goes on.
func TestAPoolServesItsOwnTenantsOnly(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		before := draw(t, p, order1("default", "umbrella.PR-1-1", 1))
		settings(t, p, "default", Settings{Count: CountLines, Width: 1, Tenants: map[string]int{"acme": 3, "bolt": 1}})
		draw(t, p, order1("default", "acme.PR-1-1", 1))
		for _, reference := range []string{"umbrella.PR-2-1", "acm.PR-1-1", "olt.PR-1-1"} {
			_, err := p.Draw(t.Context(), new(order1("default", reference, 1)))
			wantCode(t, err, worker.CodeForbidden)
		}
		settle(t, p, before, placed, 1)
		if shares, err := p.Shares(t.Context(), "default"); err != nil || shares["acme"] != 3 || shares["bolt"] != 1 {
			t.Errorf("%v, %v", shares, err)
		}
		bad := Settings{Count: CountLines, Width: 1, Tenants: map[string]int{"a b": 1}}
		if err := p.Configure(t.Context(), "default", bad, Change{}); err == nil || !strings.HasPrefix(err.Error(), "tenants.a b:") {
			t.Errorf("got %v", err)
		}
	})
}
