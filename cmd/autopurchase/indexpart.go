package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/internal/index"
	"autopurchase/worker"
)

const (
	// indexLag is how long messages are gathered: a purchase's own work goes before the list of purchases.
	indexLag   = 200 * time.Millisecond
	indexBatch = 1024 // messages that are written at once at most
	// indexAnew is how often it is seen whether the streams are still those that were read.
	indexAnew  = 5 * time.Minute
	indexRetry = 2 * time.Second
)

// indexed are the streams that an index is built from.
var indexed = []string{bus.StreamRequests, bus.StreamResults, bus.StreamStatus, bus.StreamDead}

// indexPart keeps an index of all requests in a file: it reads the streams as they grow.
type indexPart struct {
	*index.Index
	bus *bus.Bus
	log zerolog.Logger
}

// newIndexPart opens the index in a file. It is empty at first, and again whenever the file is gone: run fills it.
func newIndexPart(ctx context.Context, b *bus.Bus, path string, log zerolog.Logger, undo *cleanup) (*indexPart, error) {
	x, err := index.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	undo.add("index", func(context.Context) error { return x.Close() })
	return &indexPart{Index: x, bus: b, log: log}, nil
}

// answer answers on purchase.admin.list, until the bus is closed.
func (p *indexPart) answer(ctx context.Context) error {
	_, err := p.bus.AdminRequests(context.WithoutCancel(ctx), bus.OrdersList.Answer(func(ctx context.Context, q bus.ListOrders) (worker.Listing, error) {
		return p.List(ctx, q.Filter, q.Page())
	}))
	return err
}

// run follows the streams until ctx ends. What goes wrong is told and tried again: nothing but lists depends on it.
func (p *indexPart) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := p.follow(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		p.log.Warn().Err(err).Msg("the index of requests does not grow; trying again")
		select {
		case <-time.After(indexRetry):
		case <-ctx.Done():
		}
	}
}

// errAnew says that a stream was made anew while it was read.
var errAnew = errors.New("a stream was made anew")

// follow reads on behind what was read, for a while.
func (p *indexPart) follow(ctx context.Context) error {
	places, err := p.places(ctx)
	if err != nil {
		return err
	}
	if err := p.prune(ctx, places); err != nil {
		return err
	}
	while, cancel := context.WithTimeout(ctx, indexAnew)
	defer cancel()
	entries := make(chan worker.Entry)
	var reading error
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(entries)
		reading = p.read(while, places, entries)
	})
	err = p.write(while, entries)
	cancel()
	reader.Wait()
	return p.anew(ctx, cmp.Or(err, reading))
}

// write takes in what is read, batch by batch, until there is no more, or ctx ends: what was not written is read again.
func (p *indexPart) write(ctx context.Context, entries <-chan worker.Entry) error {
	for ctx.Err() == nil {
		batch := gatherEntries(entries)
		if len(batch) == 0 {
			break
		}
		if err := p.Apply(ctx, batch); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// anew empties the index if a stream was made anew.
func (p *indexPart) anew(ctx context.Context, err error) error {
	if !errors.Is(err, errAnew) {
		return err
	}
	p.log.Warn().Msg("a stream was made anew: the index of requests is built again")
	return p.Reset(ctx)
}

// places gives where to go on: behind what was read, or at the beginning.
func (p *indexPart) places(ctx context.Context) ([]worker.Place, error) {
	read, err := p.Places(ctx)
	if err != nil {
		return nil, err
	}
	at := map[string]worker.Place{}
	for _, place := range read {
		holds, err := p.bus.Holds(ctx, place)
		switch {
		case err != nil:
			return nil, err
		case !holds && place.Stream == bus.StreamDead: // a person removes single ones
			if err := p.Reread(ctx, place.Stream); err != nil {
				return nil, err
			}
		case !holds:
			return p.beginning(), p.anew(ctx, errAnew)
		default:
			at[place.Stream] = place
		}
	}
	places := p.beginning()
	for i := range places {
		if place, found := at[places[i].Stream]; found {
			places[i] = place
		}
	}
	return places, nil
}

func (p *indexPart) beginning() (places []worker.Place) {
	for _, stream := range indexed {
		places = append(places, worker.Place{Stream: stream})
	}
	return places
}

// read hands on what the streams have behind the places.
func (p *indexPart) read(ctx context.Context, places []worker.Place, to chan<- worker.Entry) error {
	options := bus.WatchOptions{After: places}
	last := map[string]uint64{}
	for _, place := range places {
		options.Streams = append(options.Streams, place.Stream)
		last[place.Stream] = place.Sequence
	}
	for msg, err := range p.bus.Watch(ctx, options) {
		if skipped, ok := errors.AsType[*bus.Skipped](err); ok {
			p.log.Debug().Msg(skipped.Error()) // what is removed is in no list
			continue
		}
		switch {
		case err != nil:
			return fmt.Errorf("read the streams: %w", err)
		case msg.Sequence <= last[msg.Stream]:
			return errAnew
		}
		last[msg.Stream] = msg.Sequence
		select {
		case to <- msg.Entry():
		case <-ctx.Done():
		}
	}
	return nil
}

// gatherEntries waits for a message and gives it with those that follow soon; none once there are no more.
func gatherEntries(entries <-chan worker.Entry) (batch []worker.Entry) {
	var enough <-chan time.Time
	for len(batch) < indexBatch {
		select {
		case e, more := <-entries:
			if !more {
				return batch
			}
			if batch = append(batch, e); enough == nil {
				enough = time.After(indexLag)
			}
		case <-enough:
			return batch
		}
	}
	return batch
}
