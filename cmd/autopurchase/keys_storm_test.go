package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/internal/bus"
	"autopurchase/schemas"
	"autopurchase/worker"
)

const (
	stormKeys     = 6
	stormChanges  = 1000
	stormPeople   = 8
	stormSeed     = 20
	stormRequests = 1000
)

// TestAThousandChangesWhileSixtyFourBuy lets administrators do what comes to their minds while orders are under way. When all is
// over, the journal, the results, 1688's books and Redis agree, and so does a Redis that has forgotten everything.
func TestAThousandChangesWhileSixtyFourBuy(t *testing.T) {
	t.Parallel()
	a := newApart(t, stormKeys, "info")
	p := a.startWorker("--workers", "64")
	a.addKeys()
	path, ids := sampleFile(t, "PR", stormRequests)
	s := &storm{t: t, bus: connect(t, a.nats), appKeys: a.appKeys}
	post(t, a.admin+"/admin/faults", `[{"operation":"fastCreateOrder","kind":"latency","delay_ms":200}]`)
	publisher := publishFile(t, a.nats, "acme", path)
	s.rage()
	bought := len(storedResults(t, a.nats, "acme"))
	s.calm()
	publisher.accepted(len(ids))
	reach(t, a.nats, "acme", len(ids)+1) // with the mark that ended the list before

	got := gather(t, a.nats, a.admin, "acme")
	got.judgeOrders(t)
	s.settle()
	used, held := got.counts()
	journal := readJournal(t, newAdmin(t, a.nats))
	keys := listKeys(t, a.nats)
	if len(keys) != stormKeys {
		t.Errorf("%d keys: %+v", len(keys), keys)
	}
	for _, key := range keys {
		last := journal[key.AppKey]
		if key.Used != used[key.AppKey]-last.Cleared || key.Held != held[key.AppKey] || key.Held != 0 {
			t.Errorf("%+v: want %d used less %d cleared, %d held", key, used[key.AppKey], last.Cleared, held[key.AppKey])
		}
		if told := s.statement(key.AppKey); told.Used != key.Used || told.Counted != key.Used || told.Closing != key.Used {
			t.Errorf("%+v: the statement ends with %d, used %d, counted %d", key, told.Closing, told.Used, told.Counted)
		}
		if last.State != "" && last.State != key.State || last.Version != key.Version || last.Limit != key.Limit {
			t.Errorf("%+v: the journal has %+v", key, last)
		}
	}
	s.forget(a.redis, keys)
	if s.made.Load() < stormChanges/4 || bought < stormRequests/20 {
		t.Errorf("%d changes of %d were made, %d requests of %d decided in the storm: it shows nothing", s.made.Load(), stormChanges, bought, stormRequests)
	}
	stopped(t, p)
}

// storm is administrators who do not talk to each other.
type storm struct {
	t       *testing.T
	bus     *bus.Bus
	appKeys []string
	made    atomic.Int64
}

// rage makes changes at random, and watches meanwhile that no key takes more than it may.
func (s *storm) rage() {
	s.t.Helper()
	var people, watch sync.WaitGroup
	over := make(chan struct{})
	watch.Go(func() { s.watch(over) })
	for person := range stormPeople {
		people.Go(func() {
			dice := rand.New(rand.NewPCG(stormSeed, uint64(person)))
			for n := range stormChanges / stormPeople {
				s.change(dice, bus.Change{ID: fmt.Sprintf("%d-%d", person, n), By: fmt.Sprint("person ", person), Why: "it came to mind"})
			}
		})
	}
	people.Wait()
	close(over)
	watch.Wait()
}

// change makes one change, and sometimes the same message once more.
func (s *storm) change(dice *rand.Rand, signed bus.Change) {
	ctx, appKey := s.t.Context(), s.appKeys[dice.IntN(len(s.appKeys))]
	limit := int64(1 + dice.IntN(400))
	if dice.IntN(10) == 0 {
		signed.Version = int64(1 + dice.IntN(5)) // most often long past
	}
	verbs := []bus.Verb[bus.ChangeKey, bus.KeyInfo]{bus.KeysDisable, bus.KeysBench, bus.KeysRotate, bus.KeysRetire, bus.KeysRemove,
		bus.KeysReset, bus.KeysEnable, bus.KeysEnable, bus.KeysRestore, bus.KeysRestore}
	verb, what := verbs[dice.IntN(len(verbs))], dice.IntN(8)
	width := 1 + dice.IntN(3)
	ask := func() (answer any, err error) {
		switch what {
		case 0:
			return bus.KeysPool.Ask(ctx, s.bus, bus.ChangePool{Width: &width, Strategy: []string{"first", "even"}[limit%2], Change: signed})
		case 1, 2:
			return bus.KeysAdd.Ask(ctx, s.bus, bus.AddKey{AppKey: appKey, Limit: limit, Account: "buyer", Change: signed})
		case 3, 4:
			return bus.KeysLimit.Ask(ctx, s.bus, bus.LimitKey{AppKey: appKey, Limit: limit, Change: signed})
		default:
			return verb.Ask(ctx, s.bus, bus.ChangeKey{AppKey: appKey, Change: signed})
		}
	}
	for range 1 + dice.IntN(2) {
		_, err := ask()
		if err == nil {
			s.made.Add(1)
			continue
		}
		refusal, _ := errors.AsType[*bus.AdminError](err)
		if refusal == nil || !slices.Contains([]string{"unknown_key", "wrong_state", "in_use", "stale"}, refusal.Code) {
			s.t.Errorf("%s, %d: %v", appKey, what, err)
		}
	}
}

// watch compares each key with what it was a moment before: as long as nobody has changed it, it takes nothing beyond its limit.
func (s *storm) watch(over <-chan struct{}) {
	before := map[string]bus.KeyInfo{}
	for {
		select {
		case <-over:
			return
		default:
		}
		keys, err := bus.KeysList.Ask(s.t.Context(), s.bus, bus.ListKeys{})
		if err != nil {
			s.t.Errorf("list: %v", err)
			return
		}
		for _, key := range keys {
			last, known := before[key.AppKey]
			if taken := key.Used + key.Held; known && last.Version == key.Version && taken > key.Limit && taken > last.Used+last.Held {
				s.t.Errorf("it took more than it may: %+v, before %+v", key, last)
			}
			before[key.AppKey] = key
		}
	}
}

// calm puts every key back into use, with room for all orders.
func (s *storm) calm() {
	for _, appKey := range s.appKeys {
		signed := bus.Change{By: "li", Why: "the storm is over"}
		_, err := bus.KeysAdd.Ask(s.t.Context(), s.bus, bus.AddKey{AppKey: appKey, Limit: 10_000, Account: "buyer", Change: signed})
		must(s.t, err)
		for _, verb := range []bus.Verb[bus.ChangeKey, bus.KeyInfo]{bus.KeysEnable, bus.KeysRestore} {
			_, _ = verb.Ask(s.t.Context(), s.bus, bus.ChangeKey{AppKey: appKey, Change: signed}) // one of them is not for its state
		}
	}
}

// settle makes a last change: with it, all that happened before is in the journal.
func (s *storm) settle() {
	low := int64(1)
	_, err := bus.KeysPool.Ask(s.t.Context(), s.bus, bus.ChangePool{Low: &low, Change: bus.Change{By: "li"}})
	must(s.t, err)
}

// statement is what the key's count is made of.
func (s *storm) statement(appKey string) bus.StatementPage {
	whole, err := readStatement(s.t.Context(), s.bus, bus.AskStatement{AppKey: appKey})
	must(s.t, err)
	return whole
}

// forget empties Redis and waits until the pool is what it was, field by field.
func (s *storm) forget(url string, before []bus.KeyInfo) {
	options, err := redis.ParseURL(url)
	must(s.t, err)
	client := redis.NewClient(options)
	defer client.Close()
	must(s.t, client.FlushAll(s.t.Context()).Err())
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for tick := time.Tick(50 * time.Millisecond); ; {
		after, err := bus.KeysList.Ask(s.t.Context(), s.bus, bus.ListKeys{})
		if err == nil && reflect.DeepEqual(after, before) {
			return
		}
		select {
		case <-tick:
		case <-ctx.Done():
			s.t.Fatalf("rebuilt as %+v, %v; it was %+v", after, err, before)
		}
	}
}

// readJournal gives, of each key, what its last event says, with all that was ever cleared.
func readJournal(t *testing.T, a *admin) map[string]worker.PoolEvent {
	t.Helper()
	info, err := a.journal.Info(t.Context())
	must(t, err)
	last, cleared := map[string]worker.PoolEvent{}, map[string]int64{}
	for sequence := info.State.FirstSeq; sequence <= info.State.LastSeq; sequence++ {
		msg, err := a.journal.GetMsg(t.Context(), sequence)
		must(t, err)
		event, err := schemas.DecodePoolEvent(msg.Data)
		must(t, err)
		if event.AppKey == "" {
			continue
		}
		cleared[event.AppKey] += event.Cleared
		event.Cleared = cleared[event.AppKey]
		last[event.AppKey] = event
	}
	return last
}
