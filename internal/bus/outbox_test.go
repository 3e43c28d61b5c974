package bus

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

var decidedAt = time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)

func placed(id, orderID string) worker.Result {
	return worker.Result{
		Tenant: "acme", RequestID: id, Outcome: worker.OutcomePlaced, Code: worker.CodePlaced, AppKey: "1000001", Products: 1,
		Attempt: 1, DecidedAt: decidedAt,
		Orders: []worker.ResultOrder{{OrderID: orderID, OutOrderID: "acme." + id + "-1", AppKey: "1000001", Products: 1, Total: 1999, Lines: []int{0}}},
	}
}

func refusedWith(id string, code worker.Code) worker.Result {
	return worker.Result{Tenant: "acme", RequestID: id, Outcome: worker.OutcomeRefused, Code: code, Attempt: 1, DecidedAt: decidedAt}
}

func unknown(id string) worker.Result {
	return worker.Result{
		Tenant: "acme", RequestID: id, Outcome: worker.OutcomeUnknown, Code: worker.CodeAbsent, Attempt: 1, DecidedAt: decidedAt,
		Unknown: []worker.OpenOrder{{OutOrderID: "acme." + id + "-1", AppKey: "1000001", Products: 1, Lines: []int{0}}},
	}
}

// resolving is a result whose orders were settled since an unknown one was stored.
func resolving(result worker.Result) worker.Result {
	result.Resolves = true
	return result
}

// TestTheFirstResultStands publishes two results of one request and looks at what counts in the end.
func TestTheFirstResultStands(t *testing.T) {
	t.Parallel()
	later := placed("PR-1", "11")
	later.Attempt, later.DecidedAt = 2, decidedAt.Add(time.Hour)
	for name, c := range map[string]struct {
		first, second worker.Result
		counts        worker.Outcome
		order         string
		stored        uint64
		alarms        int
	}{
		"repeated":                    {placed("PR-1", "11"), placed("PR-1", "11"), worker.OutcomePlaced, "11", 1, 0},
		"repeated by a later attempt": {placed("PR-1", "11"), later, worker.OutcomePlaced, "11", 1, 0},
		"unknown, then placed":        {unknown("PR-1"), resolving(placed("PR-1", "11")), worker.OutcomePlaced, "11", 2, 0},
		"unknown, then refused":       {unknown("PR-1"), resolving(refusedWith("PR-1", worker.CodeOutOfStock)), worker.OutcomeRefused, "", 2, 0},
		"unknown twice":               {unknown("PR-1"), unknown("PR-1"), worker.OutcomeUnknown, "", 1, 0},
		"placed, then unknown":        {placed("PR-1", "11"), unknown("PR-1"), worker.OutcomePlaced, "11", 1, 0},
		"placed, then refused":        {placed("PR-1", "11"), refusedWith("PR-1", worker.CodeOutOfStock), worker.OutcomePlaced, "11", 1, 1},
		"placed as another order":     {placed("PR-1", "11"), placed("PR-1", "12"), worker.OutcomePlaced, "11", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var raised alarms
			b, _ := provisioned(t, Config{Alarm: raised.add})
			out := b.Outbox()
			must(t, out.Publish(bounded(t), c.first))
			must(t, out.Publish(bounded(t), c.second))
			got, found, err := b.Result(bounded(t), "acme", "PR-1")
			if err != nil || !found || got.Outcome != c.counts || got.Tenant != "acme" || got.Aside {
				t.Fatalf("%+v, %v, %v", got, found, err)
			}
			if c.order != "" && got.Orders[0].OrderID != c.order {
				t.Errorf("order %s, want %s", got.Orders[0].OrderID, c.order)
			}
			if n := stored(t, b, StreamResults); n != c.stored {
				t.Errorf("%d messages stored, want %d", n, c.stored)
			}
			if len(raised.list()) != c.alarms {
				t.Errorf("alarms %q, want %d", raised.list(), c.alarms)
			}
		})
	}
}

func TestAResultComesBackAsItWas(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	want := placed("PR.1", "11")
	must(t, b.Outbox().Publish(bounded(t), want))
	got, found, err := b.Result(bounded(t), "acme", "PR.1")
	if err != nil || !found || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v\n%v, %v", got, want, found, err)
	}
	if _, found, err := b.Result(bounded(t), "acme", "PR-2"); found || err != nil {
		t.Errorf("a result that nobody published: %v, %v", found, err)
	}
}

// TestAResultAsideTakesNobodysPlace: a conflict is told, and the request's own result still finds its place empty.
func TestAResultAsideTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	out := b.Outbox()
	conflict := refusedWith("PR-1", worker.CodeConflict)
	conflict.Aside = true
	must(t, out.Publish(bounded(t), conflict))
	must(t, out.Publish(bounded(t), conflict))
	if decided, err := out.Decided(bounded(t), "acme", "PR-1"); decided || err != nil {
		t.Errorf("decided %v, %v", decided, err)
	}
	must(t, out.Publish(bounded(t), placed("PR-1", "11")))
	if decided, err := out.Decided(bounded(t), "acme", "PR-1"); !decided || err != nil {
		t.Errorf("decided %v, %v", decided, err)
	}
	msg, err := b.last(bounded(t), StreamResults, "purchase.result.acme.PR-1.conflict")
	if err != nil || msg == nil {
		t.Fatalf("%v, %v", msg, err)
	}
	if n := stored(t, b, StreamResults); n != 2 {
		t.Errorf("%d messages stored, want 2", n)
	}
}

// TestManyWorkersPublishOneResult has eight processes that all believe they decided.
func TestManyWorkersPublishOneResult(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			if err := b.Outbox().Publish(bounded(t), placed("PR-1", "11")); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	if n := stored(t, b, StreamResults); n != 1 {
		t.Errorf("%d messages stored, want 1", n)
	}
}

// TestALostAcknowledgementStoresOneMessage publishes what is on record already, beyond the broker's memory of message ids.
func TestALostAcknowledgementStoresOneMessage(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	raw := message("purchase.result.acme.PR-1", schemas.AppendResult(nil, placed("PR-1", "11")))
	_, err := b.js.PublishMsg(bounded(t), raw) // without a message id
	must(t, err)
	must(t, b.Outbox().Publish(bounded(t), placed("PR-1", "11")))
	if n := stored(t, b, StreamResults); n != 1 {
		t.Errorf("%d messages stored, want 1", n)
	}
}

func TestPublishOverARestart(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	server.Stop()
	err := b.Outbox().Publish(bounded(t), placed("PR-1", "11"))
	if trouble := worker.AsTrouble(err); trouble.Code != worker.CodeNATSDown {
		t.Fatalf("published while the broker was away: %v", err)
	}
	if _, err := b.Outbox().Decided(bounded(t), "acme", "PR-1"); worker.AsTrouble(err).Code != worker.CodeNATSDown {
		t.Errorf("decided while the broker was away: %v", err)
	}
	server.Restart()
	until(t, "it is published", func() bool { return b.Outbox().Publish(bounded(t), placed("PR-1", "11")) == nil })
	if n := stored(t, b, StreamResults); n != 1 {
		t.Errorf("%d messages stored, want 1: what failed must not be sent later", n)
	}
}

func TestAnUnreadableResultOnRecordStands(t *testing.T) {
	t.Parallel()
	var raised alarms
	b, _ := provisioned(t, Config{Alarm: raised.add})
	_, err := b.js.Publish(bounded(t), "purchase.result.acme.PR-1", []byte("{"))
	must(t, err)
	must(t, b.Outbox().Publish(bounded(t), placed("PR-1", "11")))
	if len(raised.list()) != 1 || stored(t, b, StreamResults) != 1 {
		t.Errorf("alarms %q", raised.list())
	}
	if _, _, err := b.Result(bounded(t), "acme", "PR-1"); err == nil {
		t.Error("no error about it")
	}
}

func TestWhatCannotBePublishedSaysWhy(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	for _, result := range []worker.Result{{Tenant: "a b", RequestID: "PR-1"}, {Tenant: "acme", RequestID: "a b"}, {}} {
		if trouble := worker.AsTrouble(b.Outbox().Publish(bounded(t), result)); trouble.Code != worker.CodeInternal {
			t.Errorf("%+v: %v", result, trouble)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Outbox().Publish(ended, placed("PR-1", "11")); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestBuryAndStatus(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	out := b.Outbox()
	letter := worker.DeadLetter{Subject: "purchase.request.acme.x", Sequence: 7, Code: worker.CodeInvalid, Field: "body",
		Reason: "cannot be read", Attempt: 1, At: decidedAt}
	status := worker.Status{Tenant: "acme", Ref: "PR-1", RequestID: "PR-1", OrderID: "11", EventID: "9", Topic: "ORDER_PAY", At: decidedAt}
	for range 2 { // the second is a repeat
		must(t, out.Bury(bounded(t), letter))
		must(t, out.PublishStatus(bounded(t), status))
	}
	letter.Sequence, letter.Tenant = 8, "acme"
	must(t, out.Bury(bounded(t), letter))
	for subject, stream := range map[string]string{
		"purchase.dead._": StreamDead, "purchase.dead.acme": StreamDead, "purchase.status.acme.PR-1": StreamStatus,
	} {
		if msg, err := b.last(bounded(t), stream, subject); err != nil || msg == nil {
			t.Errorf("%s: %v, %v", subject, msg, err)
		}
	}
	if dead, life := stored(t, b, StreamDead), stored(t, b, StreamStatus); dead != 2 || life != 1 {
		t.Errorf("%d dead letters and %d status messages, want 2 and 1", dead, life)
	}
	msg, err := b.last(bounded(t), StreamDead, "purchase.dead._")
	must(t, err)
	if got, err := schemas.DecodeDeadLetter(msg.Data); err != nil || got.Sequence != 7 || got.Reason != "cannot be read" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := out.PublishStatus(bounded(t), worker.Status{Tenant: "acme", Ref: "a.b"}); worker.AsTrouble(err).Code != worker.CodeInternal {
		t.Errorf("a status of no request: %v", err)
	}
}

// TestTheSameFromSeveralAtOnce: while one server of a cluster stores a message, the broker turns down its twins, and that is no
// failure.
func TestTheSameFromSeveralAtOnce(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: workertest.NATSCluster(t).URL, Replicas: 3})
	must(t, b.Provision(bounded(t)))
	const rounds, twins = 20, 16
	for round := range rounds {
		status := worker.Status{Tenant: "acme", Ref: "PR-1", RequestID: "PR-1", OrderID: "11", EventID: fmt.Sprint(round), Topic: "ORDER_PAY", At: decidedAt}
		var all sync.WaitGroup
		for range twins {
			all.Go(func() {
				if err := b.Outbox().PublishStatus(bounded(t), status); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		all.Wait()
	}
	if n := stored(t, b, StreamStatus); n != rounds {
		t.Errorf("%d are stored, want %d", n, rounds)
	}
}

// TestOnlyWhatMayPassIsRepeated counts the tries of a step.
func TestOnlyWhatMayPassIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testRepeats)
}

func testRepeats(t *testing.T) {
	refusal := &jetstream.APIError{Code: 400, ErrorCode: 10054}
	calls := 0
	err := persist(t.Context(), "publish", func(context.Context) error { calls++; return refusal })
	if !errors.Is(err, refusal) || calls != 1 {
		t.Errorf("%v after %d calls: a refusal is not repeated", err, calls)
	}
	calls = 0
	err = persist(t.Context(), "publish", func(context.Context) error { calls++; return nats.ErrTimeout })
	if !errors.Is(err, nats.ErrTimeout) || calls != attempts {
		t.Errorf("%v after %d calls, want %d", err, calls, attempts)
	}
	calls = 0
	err = persist(t.Context(), "publish", func(context.Context) error {
		if calls++; calls < 3 {
			return nats.ErrTimeout
		}
		return nil
	})
	if err != nil || calls != 3 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

// TestADecisionWaitsBehindAnUnknown until its orders have been settled once more; see worker.Result.
func TestADecisionWaitsBehindAnUnknown(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	must(t, b.Outbox().Publish(bounded(t), unknown("PR-1")))
	if trouble := worker.AsTrouble(b.Outbox().Publish(bounded(t), placed("PR-1", "11"))); trouble.Code != worker.CodeFenced {
		t.Errorf("%v, want fenced", trouble)
	}
	if n := stored(t, b, StreamResults); n != 1 {
		t.Errorf("%d messages stored, want the unknown one", n)
	}
}

// TestTwoReplaceAnUnknown: a late answer and a person decide at the same moment; one decision stands.
func TestTwoReplaceAnUnknown(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	must(t, b.Outbox().Publish(bounded(t), unknown("PR-1")))
	var workers sync.WaitGroup
	for i := range 6 {
		workers.Go(func() {
			result := placed("PR-1", "11")
			if i%2 == 0 {
				result = refusedWith("PR-1", worker.CodeOutOfStock)
			}
			if err := b.Outbox().Publish(bounded(t), resolving(result)); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	if n := stored(t, b, StreamResults); n != 2 {
		t.Errorf("%d messages stored, want the unknown one and one decision", n)
	}
}
