package relay

import (
	"cmp"
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"autopurchase/internal/alibaba"
	"autopurchase/worker"
)

// Relay answers the order channel with what 1688 says. It is safe for concurrent use.
type Relay struct {
	config     Config
	client     *alibaba.Client
	mu         sync.Mutex
	keys       map[string]*keyholder
	listed     int // keys that the vault had when it was looked into last
	looking    singleflight.Group
	changed    chan struct{} // the keys may not be the same any more
	origins    *origins
	vault      state // whether it answers
	references state // whether it can be found out which order a push is about
	storing    state // whether somebody takes pushes
	missing    state // whether pushes that were missed can be asked for
	tickets    punched
	districts  districts
	locating   state // whether districts can be asked for
}

// New makes a relay; it opens no connection and starts no goroutine. It returns an error if the settings are wrong.
func New(config Config) (*Relay, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config.Every, config.Timeout = cmp.Or(config.Every, DefaultEvery), cmp.Or(config.Timeout, 30*time.Second)
	config.MissedEvery = cmp.Or(config.MissedEvery, DefaultMissedEvery)
	client, err := alibaba.NewClient(alibaba.Config{Gateway: config.Gateway, Timeout: config.Timeout, Follow: config.Calls})
	if err != nil {
		return nil, err
	}
	r := &Relay{
		config: config, client: client, keys: map[string]*keyholder{}, changed: make(chan struct{}, 1),
		origins: newOrigins(maxOrigins),
	}
	for _, key := range config.Keys {
		r.keys[key.AppKey] = newKeyholder(key, client, config)
	}
	return r, nil
}

// Run keeps the message sessions open and looks after the tokens until ctx ends; it returns when all that has ended. It returns an
// error if a session is set up wrongly. Orders may be placed whether it runs or not.
func (r *Relay) Run(ctx context.Context) error {
	defer r.client.Close()
	running, ctx := errgroup.WithContext(ctx)
	running.Go(func() error { return r.tendAll(ctx) })
	if r.config.Vault != nil {
		running.Go(func() error { return r.followVault(ctx) })
	}
	if r.config.Messages != "" {
		running.Go(func() error { return r.listen(ctx, running) })
		running.Go(func() error { return r.catchUp(ctx) })
	}
	return running.Wait()
}

// Place sends one order to 1688. It is sent a second time only if the gateway turned the access token down, which happens
// before it is executed.
func (r *Relay) Place(ctx context.Context, order worker.Order) worker.Answer {
	order = r.located(ctx, order)
	return r.ask(ctx, order.AppKey, order.Reference, 1, func(cred alibaba.Credentials) alibaba.Reply {
		return r.client.Create(ctx, cred, order)
	})
}

// Preview asks 1688 what it would make of an order; it may be asked any number of times.
func (r *Relay) Preview(ctx context.Context, order worker.Order) worker.Answer {
	order = r.located(ctx, order)
	return r.ask(ctx, order.AppKey, order.Reference, 1, func(cred alibaba.Credentials) alibaba.Reply {
		return r.client.Preview(ctx, cred, order)
	})
}

// Find looks an order up by its reference with the key that would have placed it.
func (r *Relay) Find(ctx context.Context, appKey, reference string) worker.Answer {
	return r.ask(ctx, appKey, reference, 2, func(cred alibaba.Credentials) alibaba.Reply {
		return r.client.Find(ctx, cred, reference)
	})
}

// Detail shows one order as it is now, by 1688's order id.
func (r *Relay) Detail(ctx context.Context, appKey, orderID string) worker.Answer {
	return r.ask(ctx, appKey, "", 1, func(cred alibaba.Credentials) alibaba.Reply {
		return r.client.Now(ctx, cred, orderID)
	})
}

// Pay asks for the money for an order. Like an order, it is sent a second time only if the gateway turned the access token down.
func (r *Relay) Pay(ctx context.Context, charge worker.Charge) worker.Answer {
	return r.ask(ctx, charge.AppKey, "", 1, func(cred alibaba.Credentials) alibaba.Reply {
		return r.client.Pay(ctx, cred, charge)
	})
}

// CancelOrder closes one order at 1688 that is not paid for.
func (r *Relay) CancelOrder(ctx context.Context, appKey, orderID string) worker.Answer {
	return r.ask(ctx, appKey, "", 1, func(cred alibaba.Credentials) alibaba.Reply {
		return r.client.Cancel(ctx, cred, orderID)
	})
}

// PayLink gives an address where a person pays for orders of one key by hand.
func (r *Relay) PayLink(ctx context.Context, appKey string, orderIDs []string) worker.Answer {
	return r.ask(ctx, appKey, "", 1, func(cred alibaba.Credentials) alibaba.Reply {
		return r.client.PayLink(ctx, cred, orderIDs)
	})
}

// ask makes a call about a reference, which costs so many calls of the key's pace.
func (r *Relay) ask(ctx context.Context, appKey, reference string, cost int, call func(alibaba.Credentials) alibaba.Reply) worker.Answer {
	key, err := r.key(ctx, appKey)
	if err != nil {
		return notAttempted(err)
	}
	var reply alibaba.Reply
	err = key.do(ctx, cost, func(cred alibaba.Credentials) bool {
		reply = call(cred)
		return reply.TokenRejected
	})
	if err != nil {
		return notAttempted(err)
	}
	for _, order := range reply.Orders {
		r.origins.add(order.ID, reference)
	}
	return reply.Answer
}

// Probe asks the platform for its time, which proves key, secret and clock, but no token. Placed, without orders, means
// that they are good.
func (r *Relay) Probe(ctx context.Context, appKey string) worker.Answer {
	key, err := r.key(ctx, appKey)
	if err == nil {
		err = key.pace(ctx, 1)
	}
	if err != nil {
		return notAttempted(err)
	}
	if err := r.client.CurrentTime(ctx, key.credentials()); err != nil {
		return notAttempted(key.trouble(err))
	}
	return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Reason: "1688 takes the key and its secret"}
}

// Reach says whether 1688's gateway is in reach, without a call of a key where it answered lately; see alibaba.Client.Reach.
func (r *Relay) Reach(ctx context.Context) error { return r.client.Reach(ctx) }

// notAttempted answers a call that was not made.
func notAttempted(err error) worker.Answer {
	trouble := worker.AsTrouble(err)
	return worker.Answer{
		Verdict: worker.NotAttempted,
		Code:    trouble.Code,
		Reason:  trouble.Reason,
		Retry:   int(trouble.After / time.Millisecond),
	}
}
