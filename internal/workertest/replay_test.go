package workertest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// clerk answers those who decide about requests.
type clerk struct {
	*worker.Resolver
	bus *bus.Bus
}

func (c clerk) Parked(ctx context.Context) ([]worker.Result, error) { return c.bus.Parked(ctx) }

func (r *rig) serve() {
	r.t.Helper()
	stop, err := r.bus.AdminOrders(r.ctx, clerk{r.resolver(), r.bus})
	r.must(err)
	r.t.Cleanup(stop)
}

// letters waits until there are so many dead letters.
func (r *rig) letters(n int) []worker.Dead {
	r.t.Helper()
	var letters []worker.Dead
	r.awaits("dead letters", func() bool {
		answer, err := bus.DeadList.Ask(r.ctx, r.bus, bus.ListDead{})
		r.must(err)
		letters = answer.Letters
		return len(letters) >= n
	})
	if len(letters) != n {
		r.t.Fatalf("%d letters, want %d: %+v", len(letters), n, letters)
	}
	return letters
}

func (r *rig) replay(letter worker.Dead, want bus.ReplayAnswer) {
	r.t.Helper()
	answer, err := bus.DeadReplay.Ask(r.ctx, r.bus, bus.ChangeDead{Sequence: letter.Sequence, By: "li", Why: "to see"})
	if err != nil || answer.Answer != want || answer.Replay != letter.Replays+1 {
		r.t.Fatalf("%+v, %v, want %s", answer, err, want)
	}
}

// decided waits for a result with this outcome to be on record.
func (r *rig) decided(id string, outcome worker.Outcome) (result worker.Result) {
	r.t.Helper()
	r.awaits(id+" to be "+string(outcome), func() bool {
		var err error
		result, _, err = r.bus.Result(r.ctx, "acme", id)
		r.must(err)
		return result.Outcome == outcome
	})
	return result
}

// givenUp has a request given up whose order is at 1688.
func (r *rig) givenUp(id string) worker.Dead {
	r.t.Helper()
	stop := r.work(func(c *worker.Config, p *worker.Ports) {
		c.MaxAttempts = 1
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			r.client.Place(ctx, &order)
			panic("a bug")
		}}
	})
	defer stop()
	r.ask(r.request(id, 0))
	if result := r.result(id); result.Outcome != worker.OutcomeUnknown || result.Code != worker.CodeInternal || len(r.orders(id)) != 1 {
		r.t.Fatalf("%+v", result)
	}
	letters := r.letters(1)
	r.never()
	return letters[0]
}

func TestReplayOfWhatWasGivenUpFindsItsOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.serve()
	r.addKey("1000001", 1000)
	letter := r.givenUp("bought")
	r.work()
	r.replay(letter, bus.Replayed)
	result := r.decided("bought", worker.OutcomePlaced)
	if len(r.orders("bought")) != 1 || result.Orders[0].OrderID != r.orders("bought")[0].OrderID {
		t.Errorf("%+v", result)
	}
	r.never()
	r.replay(letter, bus.AlreadyReplayed)
	r.never()
	r.books(1, 0)
	r.letters(1)
	if r.listed() != 0 {
		t.Error("it is still parked")
	}
}

// TestReplayAfterRedisForgotTheClaim: the order is found, not bought once more.
func TestReplayAfterRedisForgotTheClaim(t *testing.T) {
	t.Parallel()
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.serve()
	r.addKey("1000001", 1000)
	letter := r.givenUp("bought")
	r.flushRedis(servers.Addr)
	r.work()
	r.replay(letter, bus.Replayed)
	r.decided("bought", worker.OutcomePlaced)
	r.never()
	if n := len(r.orders("bought")); n != 1 {
		t.Errorf("%d orders", n)
	}
	r.books(1, 0)
}

// TestPoisonReplayedComesBack as a letter of its own that counts its replays, and nothing loops.
func TestPoisonReplayedComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.serve()
	r.addKey("1000001", 1000)
	r.work()
	r.askRaw("poison", []byte(`{"request_id":"poison"}`))
	first := r.letters(1)[0]
	r.replay(first, bus.Replayed)
	second := r.letters(2)[1]
	if second.Replays != 1 || second.Origin != first.Sequence || second.Code != worker.CodeInvalid || second.Field != first.Field {
		t.Errorf("%+v", second)
	}
	r.replay(first, bus.AlreadyReplayed)
	r.replay(second, bus.Replayed)
	third := r.letters(3)[2]
	if third.Replays != 2 || third.Origin != second.Sequence {
		t.Errorf("%+v", third)
	}
	r.never()
	r.letters(3)
	if result := r.decided("poison", worker.OutcomeRefused); result.Attempt != 1 || result.Code != worker.CodeInvalid {
		t.Errorf("%+v", result)
	}
}

// TestReplayOfWhatIsReadNow: an older worker could not read it; its refusal gives way.
func TestReplayOfWhatIsReadNow(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.serve()
	r.addKey("1000001", 1000)
	stop := r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Decode = func([]byte) (*worker.Request, error) {
			return nil, &worker.Invalid{Field: "lines", Reason: "are not known to this version"}
		}
	})
	r.ask(r.request("newer", 0))
	r.decided("newer", worker.OutcomeRefused)
	letter := r.letters(1)[0]
	stop()
	r.work()
	r.replay(letter, bus.Replayed)
	r.decided("newer", worker.OutcomePlaced)
	r.never()
	if n := len(r.orders("newer")); n != 1 {
		t.Errorf("%d orders", n)
	}
	_, err := bus.DeadReplay.Ask(r.ctx, r.bus, bus.ChangeDead{Sequence: letter.Sequence, By: "li"})
	r.must(err) // it was replayed already
	r.books(1, 0)
}

// TestWhatIsNotReplayed says why, and is left alone; a dropped letter is gone, and who dropped it is on record.
func TestWhatIsNotReplayed(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	r := newRig(t, stack)
	r.serve()
	r.addKey("1000001", 1000)
	r.work()
	r.ask(r.request("placed", 0))
	r.decided("placed", worker.OutcomePlaced)
	asked, _, err := r.bus.Asked(r.ctx, "acme", "placed")
	r.must(err)
	for _, letter := range []worker.DeadLetter{
		{Tenant: "acme", Subject: asked.Subject, Sequence: asked.Sequence, RequestID: "placed", Code: worker.CodeInternal, Reason: "late", At: time.Now()},
		{Tenant: "acme", Subject: asked.Subject, Sequence: asked.Sequence, RequestID: "placed", Code: worker.CodeNoAnswer, Reason: "two", At: time.Now()},
		{Tenant: "acme", Subject: "purchase.request.acme.gone", Sequence: 999, RequestID: "gone", Code: worker.CodeInvalid, Reason: "old", At: time.Now()},
	} {
		r.must(r.bus.Outbox().Bury(r.ctx, letter))
	}
	_, err = r.broker(stack.NATS).Publish(r.ctx, "purchase.request.acme.not.encoded", []byte(`{}`))
	r.must(err)
	letters := r.letters(4)
	for i, reason := range []string{"is decided: it ended as placed", "it tells of a late answer", "is no longer on record", "its subject names no tenant and id"} {
		_, err := bus.DeadReplay.Ask(r.ctx, r.bus, bus.ChangeDead{Sequence: letters[i].Sequence, By: "li"})
		if refusal, ok := errors.AsType[*bus.AdminError](err); !ok || refusal.Code != "invalid" || !strings.Contains(refusal.Reason, reason) {
			t.Errorf("%+v: %v", letters[i], err)
		}
		if shown, err := bus.DeadShow.Ask(r.ctx, r.bus, bus.ShowDead{Sequence: letters[i].Sequence}); err != nil || !strings.Contains(shown.Replay, reason) {
			t.Errorf("%+v, %v", shown, err)
		}
	}
	for _, dropped := range []bool{true, false} {
		answer, err := bus.DeadDrop.Ask(r.ctx, r.bus, bus.ChangeDead{Sequence: letters[1].Sequence, By: "li", Why: "seen"})
		if err != nil || answer.Dropped != dropped {
			t.Errorf("%+v, %v", answer, err)
		}
	}
	r.letters(3)
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	for message, err := range r.bus.Watch(ctx, bus.WatchOptions{Subjects: []string{"purchase.journal.acme.>"}, Since: time.Unix(1, 0)}) {
		r.must(err)
		if text := string(message.Data); !strings.Contains(text, `"by":"li","why":"seen"`) || !strings.Contains(text, `"what":"dropped"`) {
			t.Error(text)
		}
		break
	}
}

func (r *rig) retry(id string) (worker.Retried, error) {
	return (&worker.Retrier{Record: r.bus, Again: r.bus, Marks: r.bus}).Retry(r.ctx, worker.Retry{Tenant: "acme", RequestID: id, By: "li", Why: "wanted"})
}

// TestRetry: what was cancelled is asked for again under a new id, once; of what was bought in part only the rest is.
func TestRetry(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	a, b := r.apart()
	r.ask(r.request("part", a, b))
	r.ask(r.request(strings.Repeat("x", 62), a))
	for id, reference := range map[string]string{"part": "acme.part-2", strings.Repeat("x", 62): ""} {
		r.cancel(id, reference)
	}
	wrong := func(id, reason string) {
		t.Helper()
		if got, err := r.retry(id); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
	wrong("part", "has no result yet")
	wrong("never", "names no request")
	wrong(strings.Repeat("x", 62), "is too long")
	stop := r.work()
	r.decided("part", worker.OutcomePartial)
	again := func(id, as string, isNew bool, outcome worker.Outcome) {
		t.Helper()
		if got, err := r.retry(id); err != nil || got.RetryID != as || got.New != isNew || got.Lines != 1 || got.Outcome != outcome {
			t.Errorf("%+v, %v", got, err)
		}
	}
	stop()
	again("part", "part.r1", true, "")
	again("part", "part.r1", false, "")
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			if strings.Contains(order.Reference, "=2Er1") {
				return worker.Answer{Verdict: worker.Refused, Code: worker.CodeOutOfStock, Reason: "库存不足"}
			}
			return *r.client.Place(ctx, &order)
		}}
	})
	r.decided("part.r1", worker.OutcomeRefused)
	again("part", "part.r2", true, "")
	r.decided("part.r2", worker.OutcomePlaced)
	for _, id := range []string{"part", "part.r1"} {
		again(id, "part.r2", false, worker.OutcomePlaced)
	}
	wrong("part.r2", "is placed")
	r.never()
	r.books(2, 0)
	r.settledBooks(0, "1000001")
}
