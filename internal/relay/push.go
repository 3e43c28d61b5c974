package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/rs/zerolog"

	"autopurchase/internal/alibaba"
	"autopurchase/worker"
)

// session is the key's message session; its pushes are handed on with the reference of the order they are about.
func (r *Relay) session(key *keyholder) alibaba.Session {
	return alibaba.Session{
		URL:         r.config.Messages,
		Credentials: key.credentials(),
		Log:         r.config.Log,
		Observe: func(err error) {
			if key.heard.observe(err); err == nil && r.config.OnSession != nil {
				r.config.OnSession()
			}
		},
		OnMock: key.heard.mock,
		OnPush: func(ctx context.Context, push worker.Push) error {
			return r.handOn(ctx, key, push)
		},
	}
}

// handOn gives a push to whoever stores it, with the reference of the order that it is about.
func (r *Relay) handOn(ctx context.Context, key *keyholder, push worker.Push) (err error) {
	push.Reference, push.Unseen, err = r.reference(ctx, key, push.OrderID)
	if r.references.tell(r.config.Log, err, pushes); err != nil {
		return err
	}
	err = r.config.OnPush(ctx, push)
	if r.storing.tell(r.config.Log, err, pushes); err != nil {
		return fmt.Errorf("%w: %w", errUnstored, err)
	}
	return nil
}

// errUnstored says that whoever stores pushes did not: it will not do with the next one either.
var errUnstored = errors.New("push is not stored")

// state is something that works or does not. Only a change is worth a line in the log: what is not confirmed comes again and
// again, and with it the same error.
type state struct{ failing atomic.Bool }

func (s *state) tell(log zerolog.Logger, err error, about words) {
	switch {
	case errors.Is(err, context.Canceled): // the session is being ended
	case err != nil && s.failing.CompareAndSwap(false, true):
		log.Warn().Err(err).Msg(about.failing)
	case err == nil && s.failing.CompareAndSwap(true, false):
		log.Info().Msg(about.again)
	}
}

// words are what is said of a state when it changes.
type words struct{ failing, again string }

var (
	pushes = words{"pushes are not stored, so not confirmed: they come again until they are", "pushes are stored again"}
	vaults = words{"secrets and tokens cannot be read from their store: the keys stay as they are", "secrets and tokens can be read from their store again"}
)

// reference finds out which reference an order was placed with: from memory if this process placed or found it, else from
// the order's detail. It is "" for no order and for one that has none; unseen says that the key cannot see the order, as it may be
// with one that was made a moment ago. An error means that it is not known now; the push is then left unconfirmed and comes again.
func (r *Relay) reference(ctx context.Context, key *keyholder, orderID string) (reference string, unseen bool, err error) {
	if orderID == "" {
		return "", false, nil
	}
	if reference, ok := r.origins.get(orderID); ok {
		return reference, false, nil
	}
	var detail alibaba.Detail
	var failed error
	err = key.do(ctx, 1, func(cred alibaba.Credentials) bool {
		detail, failed = r.client.Detail(ctx, cred, orderID)
		return alibaba.IsTokenRejected(failed)
	})
	if _, none := errors.AsType[*alibaba.NotFoundError](failed); none {
		return "", true, nil
	}
	if err := errors.Join(err, failed); err != nil {
		return "", false, fmt.Errorf("reference of order %s: %w", orderID, err)
	}
	r.origins.add(orderID, detail.Reference)
	return detail.Reference, false, nil
}

const maxOrigins = 16384 // a few MB

// origins remembers which reference the latest orders were placed with. When it is full, the oldest goes.
type origins struct {
	mu    sync.Mutex
	known map[string]string // order id → reference
	ring  []string          // order ids in the order they came
	next  int
}

func newOrigins(size int) *origins {
	return &origins{known: make(map[string]string), ring: make([]string, size)}
}

func (o *origins) add(orderID, reference string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.known[orderID]; ok {
		return
	}
	delete(o.known, o.ring[o.next])
	o.ring[o.next] = orderID
	o.next = (o.next + 1) % len(o.ring)
	o.known[orderID] = reference
}

func (o *origins) get(orderID string) (string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	reference, ok := o.known[orderID]
	return reference, ok
}
