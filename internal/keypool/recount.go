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
		p.settings = p.settings.withPreview(event.Preview)
		p.narrow()
	}
	if event.Kind == worker.EventSeller {
		p.sellers[event.Seller] = event.Alipay
	}
	if event.Kind == worker.EventRebuilt {
		p.join()
	}
	if event.AppKey != "" {
		k := p.key(event.AppKey)
		k.apply(event)
		p.stand(k, State(event.State))
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
	return slices.Contains([]State{StateOnboarding, StateBenched, StateStopped, StateDisabled, StateRetired, StateRemoved}, s)
}

// stand puts a key where an event left it, among those that are drawn from in their order; "" is one that waits for the journal.
func (p *past) stand(k *pastKey, at State) {
	if k.state == at {
		return
	}
	isIt := func(other *pastKey) bool { return other == k }
	p.active, p.ready = slices.DeleteFunc(p.active, isIt), slices.DeleteFunc(p.ready, isIt)
	if k.state == StateRemoved { // it came back as the last one
		p.keys = append(slices.DeleteFunc(p.keys, isIt), k)
	}
	switch k.state = at; at {
	case StateActive:
		p.active = append(p.active, k)
	case StateReady:
		p.ready = append(p.ready, k)
	}
}

// join lets those that wait for the journal come into use, as a rebuild does.
func (p *past) join() {
	for _, k := range p.keys {
		if k.state == "" && k.version > 0 && len(p.active) < p.settings.Width {
			p.stand(k, StateActive)
		} else if k.state == "" && k.version > 0 {
			p.stand(k, StateReady)
		}
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
