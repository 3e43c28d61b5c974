package main

import (
	"context"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// prober asks 1688 whether it takes a key and its secret: the order channel.
type prober interface {
	Probe(ctx context.Context, appKey string) worker.Answer
}

// probe proves a key of the pool, and puts a benched one that passes back into use. Only a word on the key itself says that it
// does not pass: that nobody could be asked is a trouble.
func (a keyAdmin) probe(ctx context.Context, q bus.ChangeKey) (bus.ProbedKey, error) {
	key, err := a.show(ctx, bus.ShowKey{Pool: q.Pool, AppKey: q.AppKey})
	if err != nil {
		return bus.ProbedKey{}, err
	}
	answer := a.market.Probe(ctx, q.AppKey)
	probed := bus.ProbedKey{Passed: answer.Verdict == worker.Placed, Reason: answer.Reason, Key: key}
	switch {
	case answer.Code == worker.CodeUnauthorized || answer.Code == worker.CodeKeyUnknown:
		probed.Code = string(answer.Code)
		return probed, nil
	case !probed.Passed:
		return probed, &worker.Trouble{Code: answer.Code, Reason: answer.Reason}
	case key.State != string(keypool.StateBenched):
		return probed, nil
	}
	probed.Restored = true
	probed.Key, err = a.altered(ctx, q, keypool.Revive)
	return probed, err
}
