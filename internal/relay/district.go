package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"autopurchase/internal/alibaba"
	"autopurchase/worker"
)

const (
	// maxDistricts is how many addresses are remembered.
	maxDistricts = 10_000
	// districtsFor is how long a code is taken for an address without asking again, and that there is none.
	districtsFor = 24 * time.Hour
	// districtWait bounds one question: an order waits for its answer.
	districtWait = 2 * time.Second
	// districtRest is how long a key asks nothing after a question of its without an answer.
	districtRest = time.Minute
)

// district is what 1688 said of an address: "" for no code.
type district struct {
	code  string
	until time.Time
}

// districts remembers what districts addresses are in, by their text. It is safe for concurrent use.
type districts struct {
	mu    sync.Mutex
	known map[string]district
	rests map[string]time.Time // app key → it asks nothing before
}

// find gives what is known of an address; ask says whether 1688 is to be asked with the key.
func (d *districts) find(text, appKey string, now time.Time) (code string, ask bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, there := d.known[text]; there && now.Before(known.until) {
		return known.code, false
	}
	return "", !now.Before(d.rests[appKey])
}

// keep remembers an answer. Where there is no room, what is out of date goes, or else any other.
func (d *districts) keep(text, code string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known = map[string]district{}
	}
	if _, there := d.known[text]; !there && len(d.known) >= maxDistricts {
		other := ""
		for address, known := range d.known {
			if other = address; !now.Before(known.until) {
				delete(d.known, address)
			}
		}
		if len(d.known) >= maxDistricts {
			delete(d.known, other)
		}
	}
	d.known[text] = district{code, now.Add(districtsFor)}
}

// rest keeps a key from asking for a while.
func (d *districts) rest(appKey string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rests == nil {
		d.rests = map[string]time.Time{}
	}
	d.rests[appKey] = now.Add(districtRest)
}

// located gives an order with the code of the district that it goes to, if that is wanted, the address has none, and 1688 names one.
// It never fails: province and city say the same, and go with the order as they are.
func (r *Relay) located(ctx context.Context, order worker.Order) worker.Order {
	to := order.DeliverTo
	if !r.config.DistrictCodes || to.AddressID != "" || to.DistrictCode != "" {
		return order
	}
	text := alibaba.Whereabouts(to)
	code, ask := r.districts.find(text, order.AppKey, time.Now())
	if ask {
		code = r.askDistrict(ctx, order.AppKey, text, to)
	}
	order.DeliverTo.DistrictCode = code
	return order
}

// askDistrict asks 1688 with the key that is to order, and leaves the order time enough if there is no answer.
func (r *Relay) askDistrict(ctx context.Context, appKey, text string, to worker.Address) (code string) {
	wait := districtWait
	if deadline, bounded := ctx.Deadline(); bounded {
		wait = min(wait, time.Until(deadline)/4)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	answer := r.ask(ctx, appKey, "", 1, func(cred alibaba.Credentials) (reply alibaba.Reply) {
		code, reply = r.client.District(ctx, cred, to)
		return reply
	})
	if answer.Verdict != worker.Placed && answer.Verdict != worker.Absent {
		r.districts.rest(appKey, time.Now())
		r.locating.tell(r.config.Log, errors.New(answer.Reason), locatings)
		return ""
	}
	r.locating.tell(r.config.Log, nil, locatings)
	r.districts.keep(text, code, time.Now())
	return code
}

var locatings = words{"1688 does not tell the districts of addresses: orders go without their codes", "1688 tells the districts of addresses again"}
