package metrics

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"autopurchase/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served is what a scrape gives.
func served(s *Set) string {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", Path, nil))
	return w.Body.String()
}

func wantSeries(t *testing.T, text string, series ...string) {
	t.Helper()
	for _, want := range series {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
}

// TestASurveyIsKept scrapes once a second for half a minute: the stores are asked every five.
func TestASurveyIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, asked := New(), 0
		s.Survey(func(context.Context) Survey {
			asked++
			return Survey{Queue: &Queue{Depth: uint64(asked), InFlight: 2, Oldest: time.Now()}, Down: map[string]bool{"redis": true}}
		})
		for range 30 {
			served(s)
			<-time.After(time.Second)
		}
		if asked != 6 {
			t.Errorf("asked %d times", asked)
		}
		wantSeries(t, served(s), "autopurchase_queue_depth 7", "autopurchase_queue_in_flight 2", "autopurchase_queue_oldest_seconds 0",
			`autopurchase_store_reachable{store="nats"} 1`, `autopurchase_store_reachable{store="redis"} 0`)
	})
}

// TestWhatWasNotSaidIsLeftOut has NATS away: an old number would be taken for the present one.
func TestWhatWasNotSaidIsLeftOut(t *testing.T) {
	s := New()
	s.Survey(func(context.Context) Survey {
		return Survey{Down: map[string]bool{"nats": true}, Pools: []Pool{{Name: "default", Low: 100, Keys: []Key{
			{AppKey: "1", State: "spent", Used: 10}, {AppKey: "2", State: "active", Used: 3, Held: 2, Left: 5},
		}}}}
	})
	text := served(s)
	wantSeries(t, text, `autopurchase_pool_products_low{pool="default"} 100`, `autopurchase_pool_products_used{pool="default"} 13`,
		`autopurchase_pool_products_held{pool="default"} 2`, `autopurchase_key_products_left{app_key="2",pool="default"} 5`,
		`autopurchase_key_products_held{app_key="2",pool="default"} 2`, `autopurchase_keys{pool="default",state="spent"} 1`)
	if strings.Contains(text, "autopurchase_queue_depth") || strings.Contains(text, "autopurchase_dead_letters") {
		t.Error("NATS said nothing, and yet there is a depth")
	}
}

// TestPreviewsAreTimed where 1688 answered: how long nobody did says how patient somebody was.
func TestPreviewsAreTimed(t *testing.T) {
	s := New()
	for _, verdict := range []worker.Verdict{worker.Placed, worker.Refused, worker.Unknown, worker.NotAttempted} {
		p := s.Ports(worker.Ports{Previewer: priced{verdict}})
		if answer := p.Previewer.Preview(t.Context(), &worker.Order{}); answer.Verdict != verdict {
			t.Errorf("%+v", answer)
		}
	}
	wantSeries(t, served(s), `autopurchase_stage_duration_seconds_count{stage="preview"} 2`, `autopurchase_stage_duration_seconds_count{stage="place"} 0`)
}

// priced gives one answer to every preview.
type priced struct{ verdict worker.Verdict }

func (p priced) Preview(context.Context, *worker.Order) *worker.Answer {
	return &worker.Answer{Verdict: p.verdict}
}

func TestVitals(t *testing.T) {
	s := New()
	s.Vitals(func() worker.Vitals {
		return worker.Vitals{InFlight: 3, Pauses: []worker.Pause{{Code: worker.CodeNoKey}}, Waiting: []worker.Crowd{{Pool: "default", Orders: 4}}}
	}, func() bool { return false })
	wantSeries(t, served(s), "autopurchase_worker_in_flight 3", "autopurchase_channel_open 0", `autopurchase_worker_waiting_orders{pool="default"} 4`,
		`autopurchase_worker_paused{code="no_key"} 1`, `autopurchase_worker_paused{code="redis_down"} 0`)
}

// TestLabelsAreBounded tells a set of a thousand requests, tenants, pools that do not exist and codes that nobody knows.
func TestLabelsAreBounded(t *testing.T) {
	s := New()
	p := s.Ports(worker.Ports{Ledger: noPool{}})
	tell := func(n int) {
		id := fmt.Sprint("made-up-", n)
		_, _ = p.Ledger.Draw(t.Context(), &worker.Draw{Pool: id, Reference: id})
		for _, stage := range []worker.Stage{worker.StageFinished, worker.StagePostponed} {
			s.Observe(worker.Event{Stage: stage, Tenant: id, RequestID: id, Reference: id, AppKey: id, Pool: id, Code: worker.Code(id), Reason: id})
		}
	}
	tell(0)
	before := strings.Count(served(s), "\nautopurchase_")
	for n := range 1000 {
		tell(n)
	}
	text := served(s)
	if strings.Contains(text, "made-up-") || strings.Count(text, "\nautopurchase_") != before {
		t.Errorf("%d series before, %d after", before, strings.Count(text, "\nautopurchase_"))
	}
	wantSeries(t, text, `autopurchase_draws_total{pool="none",result="no_pool"} 1001`, `autopurchase_events_total{code="other",stage="postponed"} 1001`)
}

// noPool has none.
type noPool struct{ worker.Ledger }

func (noPool) Draw(context.Context, *worker.Draw) (*worker.Claim, error) {
	return nil, &worker.Trouble{Code: worker.CodeNoPool}
}
