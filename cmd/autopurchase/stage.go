package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/relay"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// demoTenant publishes the samples.
const demoTenant = "demo"

// keyLimit is how many products one app key may order in the demo, as on the platform.
const keyLimit = 1000

// stage is a demo's whole set: the system, the simulated 1688 and the samples.
type stage struct {
	system  *system
	sim     *sim1688.Sim
	term    terminal
	samples []worker.Request
	keys    []string
	began   time.Time
}

func newStage(ctx context.Context, set demoSettings, data folder, term terminal, undo *cleanup) (*stage, error) {
	s := &stage{term: term, began: time.Now()}
	s.samples = newRun(set)
	keys := s.newKeys()
	var err error
	if s.sim, err = sim1688.Start(context.WithoutCancel(ctx), sim1688.Config{Keys: keys, Resend: time.Second}); err != nil {
		return nil, err
	}
	undo.add("simulator", func(context.Context) error { return s.sim.Close() })
	see, err := newWitness(ctx, term, "autopurchase", set.log, undo)
	if err != nil {
		return nil, err
	}
	config := relay.Config{
		Gateway: s.sim.GatewayURL(), Messages: s.sim.MessagesURL(), Authorize: s.sim.GatewayURL() + "/oauth/authorize",
		Log: see.log, Keys: relayKeys(keys), MissedEvery: time.Second,
	}
	if s.system, err = newSystem(ctx, set.systemSettings, data, config, see, undo); err != nil {
		return nil, err
	}
	where := s.system.where
	where.SimGateway, where.SimMessages, where.SimAdmin = s.sim.GatewayURL(), s.sim.MessagesURL(), s.sim.AdminURL()
	if err := data.publish(where); err != nil {
		return nil, err
	}
	return s, s.addKeys(ctx)
}

// newRun makes the samples. Their ids carry the time, so that a demo on a NATS that has seen one before asks for new things.
func newRun(set demoSettings) []worker.Request {
	samples := newSamples(sim1688.DefaultCatalogue(), uint64(set.seed))
	run := strconv.FormatInt(time.Now().UnixMilli(), 36)
	requests := make([]worker.Request, set.requests)
	for i := range requests {
		requests[i] = samples.request(fmt.Sprintf("%s-%06d", run, i+1))
	}
	return requests
}

// newKeys makes as many keys as the samples can use up, and two to spare, with secrets of this run alone.
func (s *stage) newKeys() []sim1688.Key {
	products := 0
	for _, request := range s.samples {
		products += len(request.Lines)
	}
	keys := make([]sim1688.Key, 1+products/keyLimit+1)
	first := 1_000_000 + time.Now().UnixMilli()%8_000_000
	for i := range keys {
		keys[i] = sim1688.Key{AppKey: strconv.FormatInt(first+int64(i), 10), Secret: rand.Text(), RefreshToken: rand.Text(), Limit: keyLimit, Member: "demo-buyer"}
		s.keys = append(s.keys, keys[i].AppKey)
	}
	return keys
}

func relayKeys(keys []sim1688.Key) []relay.Key {
	var same []relay.Key
	for _, k := range keys {
		same = append(same, relay.Key{AppKey: k.AppKey, Secret: k.Secret, RefreshToken: k.RefreshToken, Account: k.Member})
	}
	return same
}

func (s *stage) addKeys(ctx context.Context) error {
	work := s.system.work
	return work.onRecord(ctx, defaultPool, func() error {
		for _, appKey := range s.keys {
			key := keypool.Key{Pool: defaultPool, AppKey: appKey, Limit: keyLimit, Account: "demo-buyer", Source: "managed"}
			if _, err := work.pool.Add(ctx, key); err != nil {
				return err
			}
		}
		return nil
	})
}

// publish submits all samples and waits for the broker's word on each.
func (s *stage) publish(ctx context.Context) error {
	bar := newProgress(s.term.err, "published", len(s.samples))
	var refused error // the first: the others have the same cause
	done := 0
	err := s.system.work.bus.SubmitAll(ctx, demoTenant, s.submissions, func(o bus.Outcome) {
		switch {
		case refused != nil:
		case o.Err != nil:
			refused = fmt.Errorf("sample %s: %w", o.ID, o.Err)
		case o.Receipt.Fate != bus.Accepted:
			refused = fmt.Errorf("sample %s: %s", o.ID, o.Receipt.Fate)
		}
		done++
		bar.reach(done)
	})
	if err != nil {
		return errInterrupted
	}
	return refused
}

// errInterrupted says that a demo was told to stop before it could judge anything.
var errInterrupted = errors.New("stopped before every sample had its result; the books were not checked")

func (s *stage) submissions(yield func(bus.Submission) bool) {
	for _, sample := range s.samples {
		if !yield(bus.Submission{ID: sample.ID, Body: schemas.AppendRequest(nil, sample)}) {
			return
		}
	}
}

// results are the samples' results by request id.
type results map[string]worker.Result

// follow waits for a result of every sample, or until ctx ends.
func (s *stage) follow(ctx context.Context) (results, error) {
	got := results{}
	bar := newProgress(s.term.err, "results", len(s.samples))
	wanted := bus.WatchOptions{Subjects: []string{"purchase.result." + demoTenant + ".*"}, Since: s.began}
	for message, err := range s.system.work.bus.Watch(ctx, wanted) {
		if err != nil {
			return got, err
		}
		result, err := schemas.DecodeResult(message.Data)
		if err != nil {
			return got, fmt.Errorf("result on %s: %w", message.Subject, err)
		}
		if s.asked(result.RequestID) {
			got[result.RequestID] = result
		}
		bar.reach(len(got))
		if len(got) == len(s.samples) {
			break
		}
	}
	return got, nil
}

// asked says whether the id is one of this run's samples.
func (s *stage) asked(id string) bool {
	run, _, _ := strings.Cut(s.samples[0].ID, "-")
	return strings.HasPrefix(id, run+"-")
}
