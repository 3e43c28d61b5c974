package keypool

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/worker"
)

// run runs a script and repeats it after a connection error, which is safe because a repeat changes nothing. When the call's
// time is over, it is a trouble: whether the script ran is not known.
func (p *Pool) run(ctx context.Context, pool string, s *script, keys []string, args ...any) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.CallTimeout)
	defer cancel()
	for pause := p.config.Backoff; ; pause *= 2 {
		values, err := p.once(ctx, s, keys, args)
		if err == nil {
			return p.understand(pool, values)
		}
		if !passing(err) || !wait(ctx, pause) {
			return reply{}, down(err)
		}
	}
}

// understand reads what all replies have in common and wakes the flusher when the script left events behind.
func (p *Pool) understand(pool string, values []any) (reply, error) {
	r := reply{values: values}
	status := r.text(0)
	if r.number(1) > 0 {
		p.outbox.wake(pool)
	}
	if status == statusOK {
		return r, nil
	}
	return r, refusal(pool, status, r.text(2))
}

// wait pauses unless ctx ends first.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// passing says whether an error may be gone at the next try: anything about the connection, and a Redis that is starting,
// changing roles, moving data or was told to forget its scripts.
func passing(err error) bool {
	if errors.Is(err, errClosed) || errors.Is(err, context.Canceled) {
		return false
	}
	answer, fromRedis := errors.AsType[redis.Error](err)
	if !fromRedis {
		return true
	}
	word, _, _ := strings.Cut(answer.Error(), " ")
	switch word {
	case "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOREPLICAS", "NOSCRIPT":
		return true
	}
	return false
}

// down is the trouble of a Redis that cannot be used now.
func down(err error) *worker.Trouble {
	return &worker.Trouble{Code: worker.CodeRedisDown, Reason: "redis cannot be used", Err: err}
}

// reply is what a script returns: a status, how many events it left in the outbox, and then its own values.
type reply struct{ values []any }

const statusOK = "ok"

func (r reply) text(i int) string {
	if i >= len(r.values) {
		return ""
	}
	text, _ := r.values[i].(string)
	return text
}

func (r reply) number(i int) int64 {
	if i >= len(r.values) {
		return 0
	}
	n, _ := r.values[i].(int64)
	return n
}

// refusal gives a status other than ok its code and its words.
func refusal(pool, status, detail string) *worker.Trouble {
	trouble := func(code worker.Code, reason string) *worker.Trouble {
		return &worker.Trouble{Code: code, Reason: "pool " + pool + ": " + reason}
	}
	switch status {
	case "conflict":
		return trouble(worker.CodeConflict, "the reference is taken by a request with another meaning")
	case "too_large":
		return trouble(worker.CodeTooLarge, "the order has more products than any key may take ("+detail+")")
	case "no_pool":
		return trouble(worker.CodeNoPool, "no key has been added")
	case "no_key":
		return trouble(worker.CodeNoKey, "no key has room for "+detail+" products")
	case "fenced":
		return trouble(worker.CodeFenced, "a later delivery owns the claim")
	case "lost":
		return trouble(worker.CodeLost, "the claim may be lost: the pool is younger than the order")
	case "no_claim":
		return trouble(worker.CodeLost, "there is no such claim")
	case "broken":
		return trouble(worker.CodeRedisDown, "counter of a known key is missing: app key "+detail)
	case "unknown_key":
		return trouble(worker.CodeInternal, "app key "+detail+" is not in the pool")
	}
	return trouble(worker.CodeInternal, "unexpected status "+status)
}
