package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config sets a worker up. Zero values take the default.
type Config struct {
	// Instance names this process among the workers; it must differ between any two processes that ever run, since it is
	// part of what fences one from another. At most 24 characters. Required.
	Instance string
	// Concurrent is how many requests are handled at the same time. Default 16, at most 16384.
	Concurrent int
	// LookFor is how long an order without an answer is looked up by its reference before it is taken for absent. How long
	// 1688 may take to list a new order is not known. Default 10 min.
	LookFor time.Duration
	// OnAbsent says what becomes of an order that is surely absent when LookFor is over. Default Park.
	OnAbsent OnAbsent
	// MaxAttempts is after how many unexpected failures in this process a request is given up as unknown. What has a cause that
	// passes, such as a pool without room, does not count. Default 50.
	MaxAttempts int
	// MaxWaiting is how many orders for which no key has room may wait in hand for it, while smaller ones go on. They come on
	// top of Concurrent, and as many as Concurrent at the same time once there is room. Default 1000.
	MaxWaiting int
	// MergeWindow is how long a request that may be bought together with others waits in hand for them. They come on top of
	// MaxWaiting, as many at most. Default 0: each is bought alone. At most MaxMergeWindow.
	MergeWindow time.Duration
	// Grace is how long running requests may take to finish once the worker is told to stop. Default 20 s.
	Grace time.Duration
	// ProbeEvery is how often a paused worker asks whether the cause is gone. Default 200 ms.
	ProbeEvery time.Duration
	// ProbeTimeout bounds one such question. Default 1 s.
	ProbeTimeout time.Duration
	// RetryEvery is how often a step is repeated while a store is out of reach. Default 250 ms.
	RetryEvery time.Duration
	// BusinessRefusals are texts in 1688's refusals by which a seller turns away accounts that are no business; which ones these
	// are is not known. Default none.
	BusinessRefusals []string
	// RiskRefusals are texts in 1688's refusals by which it says that the buyer account is under risk control; which ones these are is
	// not known. Default none.
	RiskRefusals []string
	// Observe is told what happens, from many goroutines at once. May be nil.
	Observe func(Event)
}

const maxConcurrent = 16384

// MaxMergeWindow is the longest Config.MergeWindow.
const MaxMergeWindow = 10 * time.Minute

// withDefaults fills what was left out.
func (c Config) withDefaults() Config {
	setDefault(&c.Concurrent, 16)
	setDefault(&c.LookFor, 10*time.Minute)
	setDefault(&c.OnAbsent, Park)
	setDefault(&c.MaxAttempts, 50)
	setDefault(&c.MaxWaiting, 1000)
	setDefault(&c.Grace, 20*time.Second)
	setDefault(&c.ProbeEvery, 200*time.Millisecond)
	setDefault(&c.ProbeTimeout, time.Second)
	setDefault(&c.RetryEvery, soon)
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports everything that is wrong with the settings at once.
func (c Config) Validate() error {
	var problems []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	bad(CheckName(c.Instance) != nil || len(c.Instance) > 24, "instance %q: must be 1 to 24 letters, digits, \"_\" or \"-\"", c.Instance)
	bad(c.Concurrent < 0 || c.Concurrent > maxConcurrent, "workers %d: must be 1 to %d", c.Concurrent, maxConcurrent)
	bad(c.LookFor < 0, "look-for %v: must not be negative", c.LookFor)
	bad(c.OnAbsent != "" && c.OnAbsent != Park && c.OnAbsent != Resend, "on-absent %q: must be park or resend", c.OnAbsent)
	blank := func(text string) bool { return strings.TrimSpace(text) == "" }
	bad(slices.ContainsFunc(c.RiskRefusals, blank), "risk-refusals: a blank text would stop an account at every refusal")
	bad(slices.ContainsFunc(c.BusinessRefusals, blank), "business-refusals: a blank text would restrict every seller")
	bad(c.Grace < 0, "grace %v: must not be negative", c.Grace)
	bad(c.MaxAttempts < 0, "max-attempts %d: must not be negative", c.MaxAttempts)
	bad(c.MergeWindow < 0 || c.MergeWindow > MaxMergeWindow, "merge-window %v: must be 0 to %v", c.MergeWindow, MaxMergeWindow)
	bad(c.MaxWaiting < 0, "max-waiting %d: must not be negative", c.MaxWaiting)
	return errors.Join(problems...)
}

// Ports are what a worker needs from outside.
type Ports struct {
	Inbox  Inbox
	Decode Decoder
	Ledger Ledger
	Stock  Stock
	Market Market
	Outbox Outbox
	Rules  Rules // may be nil
	Shelf  Shelf // nil: what comes too early is handed back again and again

	Previewer Previewer
	Undrawn   Undrawn
	Choices   Choices
	Merges    Merges
}

// Worker takes purchase requests from the inbox and sees each to its one result. Any number of workers share the work.
type Worker struct {
	Ports
	config     Config
	gate       *gate
	deliveries atomic.Uint64 // counts what was taken from the inbox
	inFlight   atomic.Int64
	finished   atomic.Int64
	lost       stopwatches // by the reference of an order whose claim is lost
	unanswered stopwatches // by a sending that was not answered
	failures   failures
	lobby      *lobby
	basket     *basket
	deputize   func()        // puts one more to work
	surplus    atomic.Int64  // how many are too many at work
	tellings   chan telling  // what is left to do, for whoever tells next
	returning  chan struct{} // holds one for each that has waited for room and goes on
}

// New makes a worker. It returns an error if the settings are wrong.
func New(config Config, ports Ports) (*Worker, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	return &Worker{
		Ports: ports, config: config, gate: newGate(),
		tellings: make(chan telling),
		lobby:    newLobby(config.MaxWaiting), basket: newBasket(config.MergeWindow, config.MaxWaiting),
		returning: make(chan struct{}, config.Concurrent),
	}, nil
}

// Run handles requests until ctx ends; it is called once. Then it stops fetching, lets what is running finish within the grace time, and
// returns. What is left after that is handed back, and recoverable: its claims say how far it got.
func (w *Worker) Run(ctx context.Context) {
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	if err := w.Market.Ready(ctx); err != nil {
		w.pause(AsTrouble(err), "")
	}
	var running sync.WaitGroup
	running.Go(func() { w.probe(ctx) })
	running.Go(func() { w.usher(ctx) })
	told := w.tellers()
	w.deputize = func() { running.Go(func() { w.serve(ctx, work) }) }
	for range w.config.Concurrent {
		w.deputize()
	}
	<-ctx.Done()
	w.observe(Event{Stage: StageStopping, Reason: fmt.Sprintf("told to stop: %d requests are running", w.inFlight.Load())})
	grace := time.AfterFunc(w.config.Grace, func() {
		w.observe(Event{Stage: StageLeft, Reason: fmt.Sprintf("%d requests were still running when the time for it was over", w.inFlight.Load())})
		abandon()
	})
	defer grace.Stop()
	running.Wait()
	told()
}

// serve takes one request after the other, until ctx ends or there is one too many at work.
func (w *Worker) serve(ctx, work context.Context) {
	for {
		fetch, open := w.gate.pass(ctx)
		if !open {
			return
		}
		delivery, err := w.Inbox.Next(fetch)
		if err != nil {
			if fetch.Err() == nil {
				w.unfetched(ctx, AsTrouble(err))
			}
			w.gate.back(fetch)
			continue
		}
		w.advance(work, fetch, delivery)
		if w.relieved() {
			return
		}
	}
}

// advance handles one delivery, and leaves it to others to tell its outcome. If it goes ahead the others wait for it to come
// through to the very end, but no longer than for a probe: its order may be slow.
func (w *Worker) advance(work, fetch context.Context, d *Delivery) {
	scout := w.gate.ahead(fetch)
	if scout {
		patience := time.AfterFunc(w.config.ProbeTimeout, func() { w.gate.back(fetch) })
		defer patience.Stop()
		defer w.gate.back(fetch)
	}
	switch tell := w.attend(work, d); {
	case tell == nil:
	case scout:
		tell()
	default:
		w.tellings <- tell
	}
}

// unfetched waits for the broker to come back, or for a moment if it is something else.
func (w *Worker) unfetched(ctx context.Context, t *Trouble) {
	if t.Code == CodeNATSDown {
		w.pause(t, "")
		return
	}
	w.observe(Event{Stage: StageRetrying, Code: t.Code, Reason: t.Reason, Err: t.Err})
	wait(ctx, w.config.RetryEvery)
}

// Vitals is a worker's state at one moment.
type Vitals struct {
	InFlight int64 // requests being handled
	Finished int64 // requests finished since the start
	Pauses   []Pause
	Waiting  []Crowd // in hand, for room
}

// Vitals tells how the worker is. Safe for concurrent use.
func (w *Worker) Vitals() Vitals {
	pauses, _ := w.gate.state()
	return Vitals{InFlight: w.inFlight.Load(), Finished: w.finished.Load(), Pauses: pauses, Waiting: w.lobby.crowds()}
}

func (w *Worker) observe(e Event) { w.config.Observe(e) }
