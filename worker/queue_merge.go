package worker

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Merge puts what the instances say about themselves into the status. What is said of the pools must be there before: it is part
// of why workers stand still.
func (s *QueueStatus) Merge(instances []Instance) {
	s.Pools, s.Tenants, s.Lanes = noNil(s.Pools), noNil(s.Tenants), noNil(s.Lanes)
	s.Instances = noNil(slices.Clone(instances))
	slices.SortFunc(s.Instances, func(a, b Instance) int { return cmp.Compare(a.Instance, b.Instance) })
	s.Workers, s.Pauses, s.Crowds = len(instances), nil, nil
	relays, standing := map[string]bool{}, 0
	for _, i := range s.Instances {
		if i.Relay != "" {
			relays[i.Relay] = true
		}
		if i.Paused() {
			standing++
		}
		s.Pauses = mergePauses(s.Pauses, i.Pauses)
		s.Crowds = mergeCrowds(s.Crowds, i.Crowds)
	}
	s.Relays = len(relays)
	s.Paused = standing > 0 && standing == s.Workers
	s.PausedBecause, s.Waiting = s.because(standing), s.crowded()
}

// noNil makes an empty list of none, which a program reads more easily.
func noNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// mergePauses takes the same cause in once, and puts the most important first.
func mergePauses(all, more []Pause) []Pause {
	for _, p := range more {
		at := slices.IndexFunc(all, func(q Pause) bool { return q.Code == p.Code && q.Pool == p.Pool })
		if at < 0 {
			p.Workers = 1
			all = append(all, p)
			continue
		}
		all[at].Workers++
		all[at].Since = earlier(all[at].Since, p.Since)
	}
	slices.SortStableFunc(all, func(a, b Pause) int {
		return cmp.Or(cmp.Compare(weight(a.Code), weight(b.Code)), cmp.Compare(a.Pool, b.Pool))
	})
	return all
}

// weight orders causes: what makes others unseen comes first.
func weight(code Code) int {
	order := []Code{CodeNATSDown, CodeRedisDown, CodeChannelDown, CodeNoPool, CodeNoKey}
	if at := slices.Index(order, code); at >= 0 {
		return at
	}
	return len(order)
}

func mergeCrowds(all, more []Crowd) []Crowd {
	for _, c := range more {
		at := slices.IndexFunc(all, func(d Crowd) bool { return d.Pool == c.Pool })
		if at < 0 {
			all = append(all, c)
			continue
		}
		d := &all[at]
		d.Orders += c.Orders
		d.Least = Size{min(d.Least.Lines, c.Least.Lines), min(d.Least.Units, c.Least.Units)}
		d.Since = earlier(d.Since, c.Since)
	}
	slices.SortFunc(all, func(a, b Crowd) int { return cmp.Compare(a.Pool, b.Pool) })
	return all
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Add counts what another one has, too.
func (c *KeyCounts) Add(other KeyCounts) {
	c.Onboarding += other.Onboarding
	c.Ready += other.Ready
	c.Active += other.Active
	c.Spent += other.Spent
	c.Benched += other.Benched
	c.Stopped += other.Stopped
	c.Disabled += other.Disabled
	c.Retired += other.Retired
}

// usable is how many of the keys orders can be drawn from.
func (c KeyCounts) usable() int { return c.Ready + c.Active }

// AddPool takes a pool in, and counts it in what is said of all.
func (s *QueueStatus) AddPool(p PoolStatus) {
	s.Pools = append(s.Pools, p)
	s.Keys.Add(p.Keys)
	s.ProductsLeft += p.ProductsLeft
	if s.UsedUpAt.IsZero() || !p.UsedUpAt.IsZero() && p.UsedUpAt.Before(s.UsedUpAt) {
		s.UsedUpAt = p.UsedUpAt
	}
}

func (s *QueueStatus) pool(name string) PoolStatus {
	at := slices.IndexFunc(s.Pools, func(p PoolStatus) bool { return p.Pool == name })
	if at < 0 {
		return PoolStatus{Pool: name}
	}
	return s.Pools[at]
}

// unasked says whether something is out of reach.
func (s *QueueStatus) unasked(what string) bool { return slices.Contains(s.Unasked, what) }

// because says in one sentence what keeps workers from fetching.
func (s *QueueStatus) because(standing int) string {
	if standing == 0 {
		return ""
	}
	var causes []string
	for _, p := range s.Pauses {
		cause, _ := s.cause(p)
		causes = append(causes, cause)
	}
	text := strings.Join(causes, "; ")
	if !s.Paused {
		text = countOf(standing, s.Workers, "worker") + " stand still: " + text
	}
	return text
}
