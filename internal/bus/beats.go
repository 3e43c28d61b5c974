package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"autopurchase/worker"
)

// Every instance says how it is, again and again (a beat), and hears what the others say. So each of them can answer for all:
// whichever is asked, the answer is the same. One that has just come says so, and whoever hears of it for the first time says at
// once how it is too: after that the newcomer knows all.

const (
	missedBeats = 3                      // in a row, after which an instance counts as gone
	maxHeard    = 1000                   // instances that are remembered
	maxBeat     = 64 << 10               // bytes
	answerLasts = 200 * time.Millisecond // so long an answer is given again
	replyPause  = 100 * time.Millisecond // between two beats at least, however many newcomers there are
)

// Speaker is one instance among those that tell how the queue is.
type Speaker struct {
	Instance string
	Every    time.Duration // between two beats
	// Self says how this instance is. It must not wait for anything; several goroutines call it.
	Self func() worker.Instance
	// Whole says how the queue is, given all instances that are alive, this one among them. It must answer within a second,
	// whatever is out of reach.
	Whole func(ctx context.Context, alive []worker.Instance) worker.QueueStatus
}

// ServeStatus answers for all on purchase.queue.status and for this instance on purchase.queue.instance.<instance>, and says on
// purchase.queue.status.<instance> how this one is, at once and then every so often. Of several instances one answers for all.
// stop ends it with a last word and may be called once; closing the bus ends it too.
func (b *Bus) ServeStatus(ctx context.Context, s Speaker) (stop func(), err error) {
	if err := worker.CheckName(s.Instance); err != nil {
		return nil, fmt.Errorf("instance %q: %w", s.Instance, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	t := &talk{Speaker: s, bus: b, heard: map[string]heard{}, news: make(chan struct{}, 1)}
	listening, err := b.conn.Subscribe(beatPrefix+"*", t.hear)
	if err != nil {
		cancel()
		return nil, err
	}
	service, err := b.serve(serviceStatus, "The state of the purchase queue.",
		endpoint{"status", SubjectQueueStatus, map[string]string{"reply_schema": "queue-status"}, micro.ContextHandler(ctx, t.answer)},
		endpoint{"instance", instanceSubject(s.Instance), map[string]string{"reply_schema": "queue-beat"}, micro.HandlerFunc(func(r micro.Request) { _ = r.RespondJSON(s.Self()) })})
	if err != nil {
		cancel()
		return nil, errors.Join(err, listening.Unsubscribe())
	}
	unhook := context.AfterFunc(b.closing, cancel)
	ended := make(chan struct{})
	b.running.Go(func() {
		defer close(ended)
		t.run(ctx)
		_ = listening.Unsubscribe()
	})
	return func() {
		unhook()
		cancel()
		<-ended
		_ = service.Stop()
	}, nil
}

// talk is one instance's part in it.
type talk struct {
	Speaker
	bus  *Bus
	news chan struct{} // holds one: somebody has come who does not know this one

	mutex sync.Mutex
	heard map[string]heard

	said   worker.QueueStatus // the last answer; the endpoint's own
	saidAt time.Time
}

type heard struct {
	instance worker.Instance
	at       time.Time // by this process's own clock: the others' may be wrong
}

func (t *talk) run(ctx context.Context) {
	beat := time.NewTicker(t.Every)
	defer beat.Stop()
	for {
		t.say(t.Self())
		if !wait(ctx, min(replyPause, t.Every)) {
			break
		}
		select {
		case <-beat.C:
		case <-t.news:
		case <-ctx.Done():
		}
	}
	last := t.Self()
	last.Gone = true
	t.say(last)
}

func (t *talk) say(i worker.Instance) {
	if body, err := json.Marshal(i); err == nil {
		_ = t.bus.conn.Publish(beatSubject(t.Instance), body) // not connected: nobody could hear it
	}
}

func (t *talk) hear(msg *nats.Msg) {
	name, i, ok := beatOf(msg)
	if !ok || name == t.Instance {
		return
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if i.Gone {
		delete(t.heard, name)
		return
	}
	t.forget()
	_, known := t.heard[name]
	if known || len(t.heard) < maxHeard {
		t.heard[name] = heard{i, time.Now()}
	}
	if !known {
		select {
		case t.news <- struct{}{}:
		default: // it is about to say so anyway
		}
	}
}

// beatOf reads what an instance says about itself.
func beatOf(msg *nats.Msg) (name string, i worker.Instance, ok bool) {
	name = msg.Subject[len(beatPrefix):]
	if len(msg.Data) > maxBeat || worker.CheckName(name) != nil || json.Unmarshal(msg.Data, &i) != nil {
		return name, i, false
	}
	i.Instance = name
	return name, i, true
}

// forget drops those that were silent for too long. The mutex must be held.
func (t *talk) forget() {
	for name, h := range t.heard {
		if time.Since(h.at) > missedBeats*t.Every {
			delete(t.heard, name)
		}
	}
}

func (t *talk) alive() []worker.Instance {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.forget()
	all := []worker.Instance{t.Self()}
	for _, h := range t.heard {
		all = append(all, h.instance)
	}
	return all
}

// answer answers for all. It is called for one question after the other; many that come together get the same answer.
func (t *talk) answer(ctx context.Context, r micro.Request) {
	defer func() {
		if cause := recover(); cause != nil { // a question must not end the process
			t.bus.config.Log.Error().Str("panic", fmt.Sprint(cause)).Msg("the queue's state was not told")
			_ = r.Error(string(worker.CodeInternal), "unexpected error", nil)
		}
	}()
	if time.Since(t.saidAt) > answerLasts {
		t.said, t.saidAt = t.Whole(ctx, t.alive()), time.Now()
	}
	_ = r.RespondJSON(t.said)
}

// QueueStatus asks the queue how it is. It asks again if there is no answer, since the broker may have handed the question to an
// instance that is frozen. Errors: ErrNobody, wrapped, when no instance is running, and others.
func (b *Bus) QueueStatus(ctx context.Context) (status worker.QueueStatus, err error) {
	const again = 400 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answers := make(chan *nats.Msg, 2+askTimeout/again)
	inbox := b.conn.NewInbox()
	sub, err := b.conn.ChanSubscribe(inbox, answers)
	if err != nil {
		return status, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	err = b.forbidden.permitted(ctx, SubjectQueueStatus, func(ctx context.Context) error {
		for ctx.Err() == nil {
			if err := b.conn.PublishRequest(SubjectQueueStatus, inbox, nil); err != nil {
				return fmt.Errorf("ask %s: %w", SubjectQueueStatus, err)
			}
			late := time.NewTimer(again)
			select {
			case msg := <-answers:
				late.Stop()
				if msg.Header.Get("Status") == statusNoResponders {
					return fmt.Errorf("%w on %s: is a worker running?", ErrNobody, SubjectQueueStatus)
				}
				if code := msg.Header.Get(micro.ErrorCodeHeader); code != "" {
					return &AdminError{Code: code, Reason: msg.Header.Get(micro.ErrorHeader)}
				}
				return json.Unmarshal(msg.Data, &status)
			case <-late.C:
			case <-ctx.Done():
				late.Stop()
			}
		}
		return fmt.Errorf("no answer on %s in time: %w", SubjectQueueStatus, context.Cause(ctx))
	})
	return status, err
}

// Instance asks one instance how it is.
func (b *Bus) Instance(ctx context.Context, instance string) (i worker.Instance, err error) {
	if err := worker.CheckName(instance); err != nil {
		return i, fmt.Errorf("instance %q: %w", instance, err)
	}
	reply, err := b.ask(ctx, instanceSubject(instance), nil)
	if err == nil {
		err = json.Unmarshal(reply, &i)
	}
	return i, err
}

// Beats yields what the instances say about themselves until ctx ends. ready, which may be nil, is called when no beat is missed
// from then on.
func (b *Bus) Beats(ctx context.Context, ready func()) func(yield func(worker.Instance) bool) {
	return func(yield func(worker.Instance) bool) {
		sub, err := b.conn.SubscribeSync(beatPrefix + "*")
		if err != nil {
			return
		}
		defer func() { _ = sub.Unsubscribe() }()
		if b.conn.FlushWithContext(ctx) == nil && ready != nil {
			ready()
		}
		for {
			msg, err := sub.NextMsgWithContext(ctx)
			if err != nil {
				return
			}
			if _, i, ok := beatOf(msg); ok && !yield(i) {
				return
			}
		}
	}
}
