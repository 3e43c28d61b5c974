// Command spares tells how many app keys must be ready or in the making so that a pool never runs dry, by playing its days through:
//
//	go run ./spares -per-day 10000000 -limit 1000 -lead 120h
//
// Keys are used up by the products that are ordered, more by day than by night and not each day as many. Now and then somebody looks
// and begins to make as many keys as are missing to the number that is to be ready or in the making; each is ready after the lead. The
// least number with which no product ever waits is looked for, over several plays. What it takes from outside is an assumption of
// whoever runs it: how long a key takes to make, and how demand moves.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"time"
)

// world is what is assumed.
type world struct {
	perDay int64         // products ordered on a day, on average
	limit  int64         // products of a key
	lead   time.Duration // from when a key is begun until it is ready
	look   time.Duration // how often somebody looks
	peak   float64       // the busiest hour of a day, beside the mean one
	swing  float64       // how far a day's products are from the mean at most: 0.2 is a fifth
	days   int
	plays  int
}

// plan is what follows.
type plan struct {
	KeysPerDay  float64 `json:"keys_per_day"`
	Spares      int64   `json:"spares"`        // ready or in the making
	InTheMaking float64 `json:"in_the_making"` // of these, on average
	LeastReady  float64 `json:"least_ready"`   // at the worst moment of all plays
	ByRule      int64   `json:"by_rule"`       // an average day's keys for lead and look, without a play
}

const step = time.Minute

func main() {
	var w world
	flag.Int64Var(&w.perDay, "per-day", 10_000_000, "products ordered on a day, on average")
	flag.Int64Var(&w.limit, "limit", 1000, "products that a key may order")
	flag.DurationVar(&w.lead, "lead", 120*time.Hour, "from when a key is begun until it is ready")
	flag.DurationVar(&w.look, "look", 24*time.Hour, "how often somebody looks and begins what is missing")
	flag.Float64Var(&w.peak, "peak", 2, "the busiest hour of a day beside the mean one, at most 2")
	flag.Float64Var(&w.swing, "swing", 0.2, "how far a day's products are from the mean at most")
	flag.IntVar(&w.days, "days", 30, "how many days are played")
	flag.IntVar(&w.plays, "plays", 20, "how often")
	asJSON := flag.Bool("json", false, "print one JSON object")
	flag.Parse()
	if err := w.check(); err != nil {
		fmt.Fprintln(os.Stderr, "spares:", err)
		os.Exit(2)
	}
	p := w.plan()
	if *asJSON {
		_ = json.NewEncoder(os.Stdout).Encode(p)
		return
	}
	fmt.Printf("%.0f keys a day; %d must be ready or in the making: %.0f in the making on average, %.0f ready at the worst moment\n"+
		"(%d by rule: an average day's keys for lead and look)\n", p.KeysPerDay, p.Spares, p.InTheMaking, p.LeastReady, p.ByRule)
}

func (w world) check() error {
	switch {
	case w.perDay < 1, w.limit < 1, w.days < 1, w.plays < 1:
		return fmt.Errorf("-per-day, -limit, -days and -plays: must be above 0")
	case w.lead < 0, w.look < step:
		return fmt.Errorf("-lead: must not be negative; -look: must be at least %v", step)
	case w.peak < 1, w.peak > 2, w.swing < 0, w.swing > 1:
		return fmt.Errorf("-peak: must be 1 to 2; -swing: must be 0 to 1")
	}
	return nil
}

// plan finds the least number of spares with which no play runs dry.
func (w world) plan() plan {
	perDay := float64(w.perDay) / float64(w.limit)
	rule := perDay * (w.lead + w.look).Hours() / 24
	low, high := int64(0), int64(math.Ceil(rule*3*(1+w.swing)))+2
	for high-low > 1 { // high never runs dry, low does
		if middle := (low + high) / 2; w.worst(middle).dry {
			low = middle
		} else {
			high = middle
		}
	}
	o := w.worst(high)
	return plan{KeysPerDay: perDay, Spares: high, InTheMaking: math.Round(o.making), LeastReady: math.Floor(o.least), ByRule: int64(math.Ceil(rule))}
}

// outcome is what a play ended with.
type outcome struct {
	dry    bool
	least  float64 // ready keys at the worst moment
	making float64 // on average
}

// worst is the worst of all plays with so many spares.
func (w world) worst(spares int64) outcome {
	all := outcome{least: math.Inf(1)}
	for seed := range w.plays {
		o := w.play(spares, uint64(seed))
		all.dry, all.least = all.dry || o.dry, min(all.least, o.least)
		all.making += o.making / float64(w.plays)
	}
	return all
}

// play begins with all spares ready and goes through the days minute by minute. The same seed plays the same days.
func (w world) play(spares int64, seed uint64) outcome {
	random := rand.New(rand.NewPCG(seed, 1688))
	ready, making, sum := float64(spares), 0.0, 0.0
	arrivals := map[int]float64{} // keys that become ready, by the minute
	o := outcome{least: ready}
	minutes, look, lead := w.days*24*60, int(w.look/step), int(w.lead/step)
	today := 0.0
	for minute := range minutes {
		if minute%(24*60) == 0 {
			today = float64(w.perDay) * (1 + w.swing*(2*random.Float64()-1))
		}
		if missing := math.Floor(float64(spares) - ready - making); minute%look == 0 && missing > 0 {
			arrivals[minute+lead] += missing
			making += missing
		}
		ready, making = ready+arrivals[minute], making-arrivals[minute]
		delete(arrivals, minute)
		ready -= w.share(minute) * today / float64(w.limit)
		o.dry, o.least = o.dry || ready < 0, min(o.least, ready)
		sum += making
	}
	o.making = sum / float64(minutes)
	return o
}

// share is which part of a day's products is ordered within a minute: a wave with its crest at 20 h.
func (w world) share(minute int) float64 {
	hour := float64(minute%(24*60)) / 60
	return (1 + (w.peak-1)*math.Cos((hour-20)/24*2*math.Pi)) / (24 * 60)
}
