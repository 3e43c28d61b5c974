package worker

import (
	"fmt"
	"time"
)

// The windows over which consumption is measured, and how long they are.
const (
	OverHour = "1h"
	OverDay  = "24h"
	OverWeek = "7d"

	// ConsumptionWindow is how far back results matter to a forecast.
	ConsumptionWindow = 7*24*time.Hour + time.Hour
)

// Consumption is how many products each key ordered lately: by minutes for the last hour, by hours for the last week, about 2 kB
// for each key that ordered anything, however many results there are. It is not safe for concurrent use.
type Consumption struct {
	tally Tally
	keys  map[string]*ordered7d
}

type ordered7d struct{ minutes, hours ring }

// Take counts a result when it was decided. A result that replaces an unknown one from before the consumption was begun counts
// whole.
func (c *Consumption) Take(r Result) {
	for _, b := range c.tally.Take(r) {
		if c.keys == nil {
			c.keys = map[string]*ordered7d{}
		}
		k := c.keys[b.AppKey]
		if k == nil {
			k = &ordered7d{newRing(time.Minute, 60), newRing(time.Hour, 7*24)}
			c.keys[b.AppKey] = k
		}
		k.minutes.add(r.DecidedAt, b.Products)
		k.hours.add(r.DecidedAt, b.Products)
	}
}

// Forget drops the keys that ordered nothing within the last week.
func (c *Consumption) Forget(now time.Time) {
	for appKey, k := range c.keys {
		if k.hours.index(now)-k.hours.newest >= int64(len(k.hours.counts)) {
			delete(c.keys, appKey)
		}
	}
}

// Rate is how fast products are ordered.
type Rate struct {
	Over     string `json:"over"`     // OverHour, OverDay or OverWeek
	Products int64  `json:"products"` // ordered in that time
	Seconds  int64  `json:"seconds"`  // how long it was: the whole minutes or hours, and what has passed of the present one
	PerHour  string `json:"per_hour"` // with two decimals
}

// Rates gives how fast some keys order together, over the last hour, day and week.
func (c *Consumption) Rates(now time.Time, appKeys []string) []Rate {
	var hour, day, week int64
	for _, appKey := range appKeys {
		if k := c.keys[appKey]; k != nil {
			hour += k.minutes.sum(now, 60)
			day += k.hours.sum(now, 24)
			week += k.hours.sum(now, 7*24)
		}
	}
	return []Rate{
		newRate(OverHour, hour, time.Hour, now.Sub(now.Truncate(time.Minute))),
		newRate(OverDay, day, 24*time.Hour, now.Sub(now.Truncate(time.Hour))),
		newRate(OverWeek, week, 7*24*time.Hour, now.Sub(now.Truncate(time.Hour))),
	}
}

func newRate(over string, products int64, window, passed time.Duration) Rate {
	r := Rate{Over: over, Products: max(0, products), Seconds: int64((window + passed) / time.Second)}
	hundredths := (r.Products*360_000 + r.Seconds/2) / r.Seconds
	r.PerHour = fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)
	return r
}

// lasts is how long so many products last at the rate; false if that is longer than ten years, or for ever.
func (r Rate) lasts(products int64) (time.Duration, bool) {
	if products <= 0 {
		return 0, true
	}
	seconds := float64(products) * float64(r.Seconds) / float64(r.Products)
	if r.Products == 0 || seconds > 10*365*24*3600 {
		return 0, false
	}
	return time.Duration(seconds) * time.Second, true
}

// faster says whether the rate is above another.
func (r Rate) faster(than Rate) bool {
	return float64(r.Products)*float64(than.Seconds) > float64(than.Products)*float64(r.Seconds)
}

// ring counts by stretches of time; the present one and so many before it are kept.
type ring struct {
	width  time.Duration
	counts []int64
	newest int64 // index of the newest stretch that was counted
}

func newRing(width time.Duration, whole int) ring {
	return ring{width: width, counts: make([]int64, whole+1)}
}

func (r *ring) index(at time.Time) int64 { return at.Unix() / int64(r.width/time.Second) }

func (r *ring) add(at time.Time, products int64) {
	i, n := r.index(at), int64(len(r.counts))
	if i <= r.newest-n || i < 0 {
		return
	}
	for ; r.newest < i; r.newest++ {
		if i-r.newest > n {
			r.newest = i - n
		}
		r.counts[(r.newest+1)%n] = 0
	}
	r.counts[i%n] += products
}

// sum counts the present stretch and so many whole ones before it, and what a clock that is ahead has booked.
func (r *ring) sum(now time.Time, whole int64) (products int64) {
	n := int64(len(r.counts))
	for i := max(r.index(now)-whole, r.newest-n+1, 0); i <= r.newest; i++ {
		products += r.counts[i%n]
	}
	return products
}
