package alibaba

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// reachFresh is how long an answer of the gateway, to whatever call, says that it is in reach.
	reachFresh = 15 * time.Second
	// reachAgain is how long a failure to reach it stands before it is tried again.
	reachAgain = 5 * time.Second
	// reachLimit is how long one try takes at most.
	reachLimit = 5 * time.Second
)

// reach is what is known of whether the gateway answers.
type reach struct {
	heard atomic.Int64  // when it answered last, in ns of Unix time
	turn  chan struct{} // of whoever tries
	tried time.Time     // when it was tried in vain; by whoever's turn it is
	err   error
}

func newReach() *reach { return &reach{turn: make(chan struct{}, 1)} }

// answered notes that the gateway said something, whatever it was.
func (r *reach) answered() { r.heard.Store(time.Now().UnixNano()) }

func (r *reach) fresh() bool { return time.Since(time.Unix(0, r.heard.Load())) < reachFresh }

// Reach says whether the gateway is in reach: nil if it answered anything lately. Only where no call was made for 15 s it is tried
// with an unsigned request of no meaning, once for all who ask, and 5 s after one in vain at the soonest. It returns a *CallError,
// or that of ctx if others try for too long. What a key may do there it does not say.
func (c *Client) Reach(ctx context.Context) error {
	if c.reach.fresh() {
		return nil
	}
	select {
	case c.reach.turn <- struct{}{}:
		defer func() { <-c.reach.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if !c.reach.fresh() && time.Since(c.reach.tried) >= reachAgain {
		c.reach.err = c.knock(ctx)
		c.reach.tried = time.Now()
	}
	if c.reach.fresh() {
		return nil
	}
	return c.reach.err
}

// knock asks for anything. It goes on when whoever asked has gone: the next one is told.
func (c *Client) knock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reachLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, c.gateway, nil)
	if err != nil {
		return &CallError{Err: err}
	}
	got, err := c.http.Do(request)
	if err != nil {
		return &CallError{Err: withoutURL(err)}
	}
	c.reach.answered()
	return got.Body.Close()
}
