package keypool

import (
	"context"

	"autopurchase/worker"
)

// Standing says how every pool is: its keys by state, what they can still take and what is held on them. Errors are
// *worker.Trouble.
func (p *Pool) Standing(ctx context.Context) ([]worker.PoolStatus, error) {
	pools, err := p.Pools(ctx)
	if err != nil {
		return nil, err
	}
	var all []worker.PoolStatus
	for _, pool := range pools {
		keys, err := p.Keys(ctx, pool)
		if err != nil {
			return nil, err
		}
		all = append(all, poolStatus(pool, keys))
	}
	return all, nil
}

func poolStatus(pool string, keys []Info) worker.PoolStatus {
	s := worker.PoolStatus{Pool: pool}
	for _, k := range keys {
		s.ProductsLeft += k.Left
		s.Held += k.Held
		switch k.State {
		case StateOnboarding:
			s.Keys.Onboarding++
		case StateReady:
			s.Keys.Ready++
		case StateActive:
			s.Keys.Active++
		case StateSpent:
			s.Keys.Spent++
		case StateBenched:
			s.Keys.Benched++
		case StateStopped:
			s.Keys.Stopped++
		case StateDisabled:
			s.Keys.Disabled++
		case StateRetired:
			s.Keys.Retired++
		}
	}
	return s
}
