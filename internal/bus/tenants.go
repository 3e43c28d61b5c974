package bus

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"autopurchase/worker"
)

// How much of each tenant's waits is asked of the stream of requests, without a consumer. Who the tenants are is not written down
// anywhere: they are found by looking at a few of the requests that wait, spread evenly, and remembered as long as something of
// theirs waits. However many there are, so few are counted one by one; the others are counted together.
const (
	maxCounted  = 20
	tenantLooks = 8

	// tenantsLast is how long the counts are given again at least. Counting takes the broker longer the more waits, so it has
	// so many times as long to itself before it is asked again.
	tenantsLast = 2 * time.Second
	tenantsRest = 50
)

// crowdedTenants are the tenants of whom something waits, as they were last counted. It is safe for concurrent use.
type crowdedTenants struct {
	mutex sync.Mutex
	last  []worker.TenantStatus
	until time.Time // they need not be counted again before
}

func (c *crowdedTenants) waiting(ctx context.Context, b *Bus, depth Depth) ([]worker.TenantStatus, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	start := time.Now()
	if depth.Waiting == 0 {
		c.last, c.until = nil, start
	}
	if depth.Waiting == 0 || start.Before(c.until) {
		return c.last, nil
	}
	names, err := c.look(ctx, b, depth)
	if err != nil {
		return nil, err
	}
	counted, err := count(ctx, b, depth, names)
	if err == nil {
		c.last, c.until = counted, time.Now().Add(max(tenantsLast, tenantsRest*time.Since(start)))
	}
	return counted, err
}

// look gives the tenants that are known, and those of some of the requests that wait.
func (c *crowdedTenants) look(ctx context.Context, b *Bus, depth Depth) (names []string, err error) {
	for _, t := range c.last {
		if t.Tenant != worker.OtherTenants {
			names = append(names, t.Tenant)
		}
	}
	for _, l := range depth.lanes {
		if names, err = l.look(ctx, b, names); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func (l laneDepth) look(ctx context.Context, b *Bus, names []string) ([]string, error) {
	for i := range min(l.waiting, tenantLooks) {
		at := l.behind + 1 + i*l.waiting/tenantLooks
		msg, err := b.first(ctx, StreamRequests, directGet{Sequence: at, Next: laneSubjects(l.lane)})
		if err != nil || msg == nil {
			return names, err
		}
		_, rest := laneOf(msg.Subject)
		tenant, _ := parseTokens(rest)
		if tenant != "" && len(names) < maxCounted && !slices.Contains(names, tenant) {
			names = append(names, tenant)
		}
	}
	return names, nil
}

// waitingOf counts what waits of a tenant in the lane.
func (l laneDepth) waitingOf(ctx context.Context, b *Bus, tenant string) (uint64, error) {
	if l.waiting == 0 {
		return 0, nil
	}
	msg, err := b.first(ctx, StreamRequests, directGet{Sequence: l.behind + 1, Next: requestSubject(l.lane, tenant, ">")})
	if msg == nil || err != nil {
		return 0, err
	}
	return msg.more() + 1, nil
}

// count counts what waits of each, the most first, and of the others together.
func count(ctx context.Context, b *Bus, depth Depth, names []string) ([]worker.TenantStatus, error) {
	var counted []worker.TenantStatus
	others := depth.Waiting
	for _, name := range names {
		var waiting uint64
		for _, l := range depth.lanes {
			more, err := l.waitingOf(ctx, b, name)
			if err != nil {
				return nil, err
			}
			waiting += more
		}
		if waiting == 0 {
			continue
		}
		counted = append(counted, worker.TenantStatus{Tenant: name, Waiting: waiting})
		others -= min(others, waiting)
	}
	slices.SortFunc(counted, func(a, b worker.TenantStatus) int {
		return cmp.Or(cmp.Compare(b.Waiting, a.Waiting), cmp.Compare(a.Tenant, b.Tenant))
	})
	if others > 0 {
		counted = append(counted, worker.TenantStatus{Tenant: worker.OtherTenants, Waiting: others})
	}
	return counted, nil
}
