package keypool

import (
	"slices"
	"strings"
	"time"

	"autopurchase/worker"
)

// apply takes one event of the journal into the picture. Every event of a key carries all about it, so that a journal whose
// beginning has aged away still tells what counts.
func (p *past) apply(event worker.PoolEvent) {
	p.last = max(p.last, event.Sequence)
	if event.Change != "" && time.Since(event.At) < remembered {
		p.changes = append(p.changes, event.Change)
	}
	if event.Count != "" {
		p.settings.Count, p.settings.Width, p.settings.Low = event.Count, max(1, int(event.Width)), event.Low
		p.settings.Strategy = event.Strategy
	}
	if event.Kind == worker.EventPool {
		p.settings.Recipients, p.settings.Tenants, p.settings.Version = strings.Fields(event.For), tenantsOf(event.Tenants), event.Version
		p.narrow()
	}
	if event.Kind == worker.EventSeller {
		p.sellers[event.Seller] = event.Alipay
	}
	if event.AppKey != "" {
		p.key(event.AppKey).apply(event)
		p.stand(p.key(event.AppKey), event)
	}
}

func (k *pastKey) apply(event worker.PoolEvent) {
	k.version = max(1, event.Version)
	k.limit, k.account, k.alipay, k.source = event.Limit, event.Account, event.Alipay, event.Source
	if event.Kind == worker.EventReset {
		k.cleared += event.Cleared
		k.floor = 0
	}
	k.floor = max(k.floor, event.Used)
	k.recallSealed(event)
	if State(event.State) == StateOnboarding {
		k.onboard = true
	}
	if event.Kind == worker.EventOnboarded {
		k.stepped(event)
	}
}

// resting says whether a key in this state starts no order whatever room it has; the scripts say so too.
func resting(s State) bool {
	return slices.Contains([]State{StateOnboarding, StateBenched, StateDisabled, StateRetired, StateRemoved}, s)
}

// stand puts a key where an event left it, among those that are drawn from in their order. A key that waited for the journal
// came into use with that event; where is not in it.
func (p *past) stand(k *pastKey, event worker.PoolEvent) {
	to := State(event.State)
	if to == "" {
		if k.state == StateActive || k.state == StateReady {
			return
		}
		to = StateReady
		if len(p.active) < p.settings.Width {
			to = StateActive
		}
	}
	if k.state == to {
		return
	}
	isIt := func(other *pastKey) bool { return other == k }
	p.active, p.ready = slices.DeleteFunc(p.active, isIt), slices.DeleteFunc(p.ready, isIt)
	if k.state == StateRemoved { // it came back as the last one
		p.keys = append(slices.DeleteFunc(p.keys, isIt), k)
	}
	switch k.state = to; to {
	case StateActive:
		p.active = append(p.active, k)
	case StateReady:
		p.ready = append(p.ready, k)
	}
}

// narrow sends the last active keys back to the head of the ready ones, as a smaller width does.
func (p *past) narrow() {
	for len(p.active) > p.settings.Width {
		k := p.active[len(p.active)-1]
		p.active = p.active[:len(p.active)-1]
		k.state = StateReady
		p.ready = slices.Insert(p.ready, 0, k)
	}
}

// counts is what counts of what was ever counted.
func (k *pastKey) counts(ever int64) int64 { return max(0, ever-k.cleared) }
