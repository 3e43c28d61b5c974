package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// keyBooks answers what the counts of keys are made of, and until when the keys last. It reads what is on record when it is asked,
// and keeps sums.
type keyBooks struct {
	*stores

	mutex       sync.Mutex
	feed        *bus.Feed // of the results of the last week, once there was a question
	consumption worker.Consumption
}

// endpoints has a line for each verb.
func (b *keyBooks) endpoints() []bus.Endpoint {
	return []bus.Endpoint{
		bus.KeysStatement.Answer(b.statement),
		bus.KeysForecast.Answer(b.forecast),
	}
}

func (b *keyBooks) statement(ctx context.Context, ask bus.AskStatement) (bus.StatementPage, error) {
	history := b.bus.History()
	s, err := worker.StatementOf(ask.Pool, ask.AppKey, history.Events(ctx, ask.Pool), history.Results(ctx, ask.Pool))
	if err != nil {
		return bus.StatementPage{}, err
	}
	info, err := b.pool.Show(ctx, ask.Pool, ask.AppKey)
	if err != nil {
		return bus.StatementPage{}, err
	}
	return ask.Page(s.Between(ask.From, ask.To), info.Used), nil
}

func (b *keyBooks) forecast(ctx context.Context, ask bus.AskForecast) (worker.Forecast, error) {
	keys, err := b.stock(ctx, ask.Pool)
	if err != nil {
		return worker.Forecast{}, err
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	now := time.Now()
	if err := b.catchUp(ctx, now); err != nil {
		return worker.Forecast{}, err
	}
	return b.consumption.Forecast(ask.Pool, now, keys, ask.Outlook()), nil
}

// catchUp reads the results that were stored since the last question, or in the last week.
func (b *keyBooks) catchUp(ctx context.Context, now time.Time) error {
	if b.feed == nil {
		b.feed = b.bus.History().Feed(now.Add(-worker.ConsumptionWindow))
	}
	for result, err := range b.feed.News(ctx) {
		if err != nil {
			return err
		}
		b.consumption.Take(result)
	}
	b.consumption.Forget(now)
	return nil
}

// stock lists the keys that ever belonged to the pool: what those ordered that have left it is part of its rate.
func (b *keyBooks) stock(ctx context.Context, pool string) ([]worker.KeyStock, error) {
	var keys []worker.KeyStock
	known := map[string]bool{}
	for event, err := range b.bus.History().Events(ctx, pool) {
		if err != nil {
			return nil, err
		}
		if event.AppKey != "" && !known[event.AppKey] {
			known[event.AppKey] = true
			keys = append(keys, worker.KeyStock{AppKey: event.AppKey})
		}
	}
	infos, err := b.pool.Keys(ctx, pool)
	for _, info := range infos {
		keys = slices.DeleteFunc(keys, func(k worker.KeyStock) bool { return k.AppKey == info.AppKey })
	}
	for _, info := range infos {
		keys = append(keys, worker.KeyStock{AppKey: info.AppKey, State: string(info.State), Limit: info.Limit, Left: info.Left})
	}
	return keys, err
}
