package keypool

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"autopurchase/worker"
)

// under is a request of so many lines that a worker has in hand.
func under(id string, lines int) worker.Request {
	r := worker.Request{Tenant: "acme", ID: id, Pool: "default"}
	for range lines {
		r.Lines = append(r.Lines, worker.Line{OfferID: fmt.Sprint(1 + len(r.Lines)), Quantity: 1, Seller: "s"})
	}
	return r
}

// forgetful is a pool of k1, k2, k3 for 10 each that was lost with an order for 3 under way, and rebuilt.
func forgetful(t *testing.T, p *Pool, requests ...worker.Request) *stored {
	t.Helper()
	s := &stored{flights: requests}
	settings(t, p, "default", Settings{Count: CountLines, Width: 1, Low: 0})
	for _, appKey := range []string{"k1", "k2", "k3"} {
		add(t, p, Key{Pool: "default", AppKey: appKey, Limit: 10})
	}
	s.flushed(t, p)
	s.lose(t, p)
	return s
}

// lose empties Redis and rebuilds the pool.
func (s *stored) lose(t *testing.T, p *Pool) {
	t.Helper()
	before := redisClock(t, p)
	for range 1_000_000 {
		if redisClock(t, p) != before { // no Redis is lost twice within a millisecond
			break
		}
	}
	raw(t, p).FlushAll(t.Context())
	rebuild(t, p, s)
}

// redisClock is Redis's, in milliseconds.
func redisClock(t *testing.T, p *Pool) int64 {
	t.Helper()
	now, err := raw(t, p).Time(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	return now.UnixMilli()
}

// publish puts on record what a claim comes to.
func (s *stored) publish(request worker.Request, claim worker.Claim) worker.Result {
	if claim.State == placed {
		claim.Part.Orders = []worker.PlacedOrder{{ID: "1"}}
	}
	result := worker.Gather(&request, []*worker.Ended{{Child: &worker.Split(&request)[0], Claim: claim}})
	s.results = append(s.results, result)
	return result
}

// TestALostOrderCountsOnEveryKeyThatMayHaveTakenIt: it could have been on k1, k2 or k3, and the platform shows it to k1 and k2,
// which are of one account.
func TestALostOrderCountsOnEveryKeyThatMayHaveTakenIt(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		request := under("r", 3)
		s := forgetful(t, p, request)
		for _, k := range []string{"k1", "k2", "k3"} {
			wantHeld(t, p, k, 0, 3)
		}
		found := onKey(older(by(order1("default", "acme.r-1", 3), "owner-2", 2)), "k2 k1")
		for range 2 { // the second is a repeat after a lost reply
			claim := draw(t, p, found)
			if claim.Turn != worker.TurnLookUp || claim.State != worker.ClaimSent || !slices.Equal(claim.Keys(), []string{"k2", "k1"}) {
				t.Fatalf("got %+v", claim)
			}
		}
		wantHeld(t, p, "k1", 0, 3)
		wantHeld(t, p, "k2", 0, 3)
		wantHeld(t, p, "k3", 0, 0)
		s.lose(t, p) // before it is settled
		claim := draw(t, p, found)
		settled := settle(t, p, claim, placed, 2)
		if settled.Products != 2 || !slices.Equal(settled.Keys(), []string{"k2", "k1"}) || settled.Part.State != placed {
			t.Fatalf("got %+v", settled)
		}
		shown, _, err := p.Claim(t.Context(), "default", "acme.r-1")
		if err != nil || !slices.Equal(shown.Keys(), []string{"k2", "k1"}) {
			t.Fatalf("%+v, %v", shown, err)
		}
		result := s.publish(request, settled)
		if len(result.Orders) != 1 || !slices.Equal(result.Orders[0].AlsoOn, []string{"k1"}) {
			t.Fatalf("%+v", result)
		}
		for range 2 {
			wantHeld(t, p, "k1", 2, 0)
			wantHeld(t, p, "k2", 2, 0)
			wantHeld(t, p, "k3", 0, 0)
			s.lose(t, p)
		}
	})
}

// TestALostOrderIsLostByAnyClock: the broker's may be ahead of Redis's, so that the request looks younger than the rebuilt pool.
func TestALostOrderIsLostByAnyClock(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		forgetful(t, p, under("r", 3))
		again := by(order1("default", "acme.r-1", 3), "owner-2", 2)
		again.Published = time.Now().Add(time.Hour)
		_, err := p.Draw(t.Context(), &again)
		wantCode(t, err, worker.CodeLost)
		wantHeld(t, p, "k1", 0, 3)
	})
}

// TestALostOrderThatIsAbsentIsHeldWhereItMayBe until a person has decided, through another loss.
func TestALostOrderThatIsAbsentIsHeldWhereItMayBe(t *testing.T) {
	for word, used := range map[worker.ClaimState]int64{placed: 3, refused: 0} {
		t.Run(string(word), func(t *testing.T) {
			backends(t, func(t *testing.T, p *Pool) {
				request := under("r", 3)
				s := forgetful(t, p, request)
				claim := draw(t, p, onKey(older(by(order1("default", "acme.r-1", 3), "owner-2", 2)), "k1 k2 k3"))
				parked := settle(t, p, claim, unknownOne, 0)
				result := s.publish(request, parked)
				if len(result.Unknown) != 1 || !slices.Equal(result.Unknown[0].AlsoOn, []string{"k2", "k3"}) {
					t.Fatalf("%+v", result)
				}
				before := keys(t, p, "default")
				s.lose(t, p)
				if diff := cmp.Diff(before, keys(t, p, "default")); diff != "" {
					t.Fatalf("the keys differ: %s", diff)
				}
				claim, there, err := p.Claim(t.Context(), "default", "acme.r-1")
				if err != nil || !there || !slices.Equal(claim.Keys(), []string{"k1", "k2", "k3"}) {
					t.Fatalf("%+v, %v", claim, err)
				}
				settle(t, p, claim, word, 3)
				for _, k := range []string{"k1", "k2", "k3"} {
					wantHeld(t, p, k, used, 0)
				}
				wantBooks(t, p, "default")
			})
		})
	}
}

// TestACountInDoubtHidesNoKey: k1 is almost full by the order that may be on any key, and so may have taken another one.
func TestACountInDoubtHidesNoKey(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		big, small := under("big", 8), under("small", 3)
		s := forgetful(t, p, big, small)
		claim := draw(t, p, onKey(older(by(order1("default", "acme.big-1", 8), "owner-2", 2)), "k1 k2"))
		s.publish(big, settle(t, p, claim, placed, 8))
		s.flights = []worker.Request{small}
		s.lose(t, p)
		wantHeld(t, p, "k1", 8, 3)
		claim = draw(t, p, onKey(older(by(order1("default", "acme.small-1", 3), "owner-2", 2)), "k1 k2 k3"))
		s.publish(small, settle(t, p, claim, placed, 3))
		wantHeld(t, p, "k1", 11, 0)
		wantHeld(t, p, "k2", 11, 0)
		wantHeld(t, p, "k3", 3, 0)
		if k := keys(t, p, "default"); k[0].State != StateSpent || k[1].State != StateSpent || k[2].State != StateActive {
			t.Fatalf("%+v", k)
		}
	})
}

// TestAResultOnSeveralKeysConcludes a lost record: its owner has published since.
func TestAResultOnSeveralKeysConcludes(t *testing.T) {
	for _, state := range []worker.ClaimState{placed, unknownOne} {
		backends(t, func(t *testing.T, p *Pool) {
			request := under("r", 3)
			s := forgetful(t, p, request)
			claim := worker.Claim{Reference: "acme.r-1", AppKey: "k1", AlsoOn: []string{"k3"}, Products: 3,
				State: state, Part: worker.Part{State: state, Code: worker.CodeAbsent, Orders: []worker.PlacedOrder{{ID: "1"}}, At: decided}}
			args, told := ending(s.publish(request, claim), "acme.r-1")
			if !told {
				t.Fatal("the result says nothing of it")
			}
			for range 2 {
				if _, err := p.run(t.Context(), "default", concludeScript, namesOf("default").keys("acme.r-1"), args...); err != nil {
					t.Fatal(err)
				}
			}
			used, held := int64(3), int64(0)
			if state == unknownOne {
				used, held = 0, 3
			}
			wantHeld(t, p, "k1", used, held)
			wantHeld(t, p, "k2", 0, 0)
			wantHeld(t, p, "k3", used, held)
			wantBooks(t, p, "default")
		})
	}
}

func wantHeld(t *testing.T, p *Pool, appKey string, used, held int64) {
	t.Helper()
	for _, k := range keys(t, p, "default") {
		if k.AppKey == appKey && (k.Used != used || k.Held != held) {
			t.Fatalf("%s has %d used and %d held, want %d and %d", appKey, k.Used, k.Held, used, held)
		}
	}
}

// TestRoomGivenBackInVainEndsAnAlarm: a claim leaves two keys, nobody takes it, and the next shortage is told again.
func TestRoomGivenBackInVainEndsAnAlarm(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		settings(t, p, "default", Settings{Count: CountLines, Width: 1, Low: 5})
		for _, appKey := range []string{"k1", "k2"} {
			add(t, p, Key{Pool: "default", AppKey: appKey, Limit: 5})
		}
		claim := draw(t, p, onKey(order1("default", "a", 3), "k1 k2"))
		if err := p.Unsend(t.Context(), &claim, worker.CodeThrottled); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Alter(t.Context(), "default", "k1", Bench, Change{}); err != nil {
			t.Fatal(err)
		}
		_, err := p.Draw(t.Context(), new(with(order1("default", "a", 3), "nobody")))
		wantCode(t, err, worker.CodeNoKey)
		wantHeld(t, p, "k2", 0, 0)
		draw(t, p, order1("default", "b", 1))
		told := kinds(t, p, "default")
		if low := slices.DeleteFunc(told, func(kind string) bool { return kind != string(worker.EventLow) }); len(low) != 2 {
			t.Fatalf("told low %d times, want twice", len(low))
		}
	})
}
