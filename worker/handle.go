package worker

import (
	"context"
	"time"
)

// handle is the one flow: admit, purchase, and then tell.
func (w *Worker) handle(ctx context.Context, d *Delivery) telling {
	started := time.Now()
	b := w.admit(ctx, d, started)
	if b == nil {
		return nil
	}
	result, err := b.gathered(b.purchase(ctx))
	return func() { b.tell(ctx, result, err, started) }
}

// admit gives who buys what a delivery asks for; nil if it was rejected, or is held until its time.
func (w *Worker) admit(ctx context.Context, d *Delivery, now time.Time) *buyer {
	request, invalid := Admit(d, w.Decode)
	d.Body = nil // the request says it all, and an order may wait for long
	if invalid != nil {
		w.reject(ctx, d, invalid)
		return nil
	}
	if until, early := request.early(d, now); early {
		w.hold(ctx, d, request, until)
		return nil
	}
	return w.buyer(d, request)
}

// publish stores the result and only then ends the request at the broker.
func (w *Worker) publish(ctx context.Context, d *Delivery, result Result) error {
	result.Replay = d.Replay
	if err := w.persist(ctx, func() error { return w.Outbox.Publish(ctx, result) }); err != nil {
		return err
	}
	return d.Receipt.Ack(ctx)
}

func (w *Worker) finish(d *Delivery, result Result, took time.Duration) {
	w.finished.Add(1)
	stage := StageFinished
	if result.Outcome == OutcomeUnknown {
		stage = StageParked
	}
	w.observe(Event{Stage: stage, Tenant: result.Tenant, RequestID: result.RequestID, AppKey: result.AppKey,
		Attempt: result.Attempt, Code: result.Code, Reason: result.Reason, Took: took, Context: d.Context})
}

// reject dead-letters what cannot be handled, tells its owner, and ends it. The dead letter comes first: nothing vanishes. A replay's
// owner was told when it was rejected first.
func (w *Worker) reject(ctx context.Context, d *Delivery, invalid *Invalid) {
	result, tell := Rejection(d, invalid)
	result.DecidedAt = d.Published
	letter := d.letter(result.RequestID, CodeInvalid, invalid.Reason)
	letter.Field = invalid.Field
	err := w.persist(ctx, func() error { return w.Outbox.Bury(ctx, letter) })
	if err == nil && tell && d.Replay == 0 {
		err = w.persist(ctx, func() error { return w.Outbox.Publish(ctx, result) })
		if err != nil && AsTrouble(err).Code == CodeFenced {
			err = nil // the request that was parked under this id has its own result
		}
	}
	if err == nil {
		err = d.Receipt.Term(ctx, invalid.Error())
	}
	if err != nil {
		w.postpone(ctx, d, AsTrouble(err))
		return
	}
	w.finished.Add(1)
	w.observe(Event{Stage: StageRejected, Tenant: d.Tenant, RequestID: result.RequestID, Attempt: d.Attempt,
		Code: CodeInvalid, Reason: invalid.Error(), Context: d.Context})
}

// postpone hands a request back to the broker. What keeps failing for no known reason is given up after MaxAttempts, never
// silently, and what has a cause that passes never.
func (w *Worker) postpone(ctx context.Context, d *Delivery, t *Trouble) {
	event := Event{Stage: StagePostponed, Tenant: d.Tenant, RequestID: d.Ref, Attempt: d.Attempt, Code: t.Code, Reason: t.Reason, Err: t.Err,
		Context: d.Context}
	if t.Code == CodeInternal {
		event.Stage = StageFailed
		if w.failures.add(d.Subject) >= w.config.MaxAttempts && w.giveUp(ctx, d, t) == nil {
			return
		}
	}
	w.observe(event)
	ctx, done := lastWord(ctx)
	defer done()
	if err := d.Receipt.Nak(ctx, delay(t, d.Attempt)); err != nil {
		w.observe(Event{Stage: StageFailed, Tenant: d.Tenant, RequestID: d.Ref, Code: CodeNATSDown, Err: err, Context: d.Context})
	}
}

// lastWord gives a moment more to who was told to end, so that what he leaves behind is handed back: else the broker would
// keep it from everybody until it has waited long enough for him.
func lastWord(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), aSecond)
}

// giveUp ends a request whose handling fails again and again. Whether an order exists is not known, so the result says so.
func (w *Worker) giveUp(ctx context.Context, d *Delivery, t *Trouble) error {
	id, _ := DecodeRef(d.Ref)
	if err := w.Outbox.Bury(ctx, d.letter(id, t.Code, t.Reason)); err != nil {
		return err
	}
	result := Result{Tenant: d.Tenant, RequestID: id, Outcome: OutcomeUnknown, Code: t.Code, Attempt: d.Attempt,
		Reason: "given up after too many unexpected failures", DecidedAt: d.Published}
	if err := w.publish(ctx, d, result); err != nil {
		return err
	}
	w.failures.forget(d.Subject)
	w.finish(d, result, 0)
	return nil
}

// maxDelay is the longest that a request is handed back for, so that it goes on soon after its cause is gone.
const maxDelay = 30 * time.Second

// delay grows with the attempts, from what the trouble or its code says.
func delay(t *Trouble, attempt int) time.Duration {
	after := t.After
	if after == 0 {
		after = Dispose(t.Code).After << min(max(attempt-1, 0), 10)
	}
	return min(max(after, soon), maxDelay)
}

// persist repeats a step while the store behind it is out of reach: it is written so that a repeat changes nothing, and
// handing the request back would leave it unknown whether the step was done. It returns when the step is done or refused,
// or when ctx ends.
func (w *Worker) persist(ctx context.Context, step func() error) error {
	for attempt := 1; ; attempt++ {
		err := step()
		if err == nil {
			return nil
		}
		t := AsTrouble(err)
		if (t.Code != CodeRedisDown && t.Code != CodeNATSDown) || ctx.Err() != nil {
			return err
		}
		if t.Code == CodeRedisDown || w.Inbox.Ready(ctx) != nil {
			w.pause(t, "")
		}
		w.observe(Event{Stage: StageRetrying, Attempt: attempt, Code: t.Code, Reason: t.Reason, Err: t.Err, Context: ctx})
		if !wait(ctx, w.config.RetryEvery) {
			return err
		}
	}
}
