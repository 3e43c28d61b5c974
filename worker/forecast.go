package worker

import "time"

// Outlook says what a forecast is to reckon with.
type Outlook struct {
	// Lead is how long it takes to prepare a key: the platform wants some fifteen steps of a person and checks the company.
	// DefaultLead is an assumption, since it is not known how long the platform takes.
	Lead time.Duration
	// Cover is how long the pool is to last beyond that. Default DefaultCover.
	Cover time.Duration
}

// The defaults of an outlook.
const (
	DefaultLead  = 3 * 24 * time.Hour
	DefaultCover = 7 * 24 * time.Hour
)

// KeyStock is what one key of a pool can still take.
type KeyStock struct {
	AppKey string
	State  string // "active" and "ready" keys have something left
	Limit  int64
	Left   int64
}

// Forecast says until when the keys of a pool last. UsedUp times are zero where nothing is ordered, or it takes more than ten
// years.
type Forecast struct {
	Pool    string      `json:"pool"`
	At      time.Time   `json:"at"`
	Rates   []Rate      `json:"rates"`            // over an hour, a day and a week
	Basis   string      `json:"basis"`            // the rate by which things are used up: the highest, so that a person is told early and not late
	Left    int64       `json:"left"`             // what all keys can still take
	UsedUp  time.Time   `json:"used_up,omitzero"` // when that is ordered
	Active  []KeyUsedUp `json:"active"`           // the keys in use
	Ready   int         `json:"ready"`            // how many keys wait for their turn
	Prepare Preparation `json:"prepare"`
}

// KeyUsedUp says until when an active key lasts. Several active ones are taken to share the orders evenly.
type KeyUsedUp struct {
	AppKey string    `json:"app_key"`
	Left   int64     `json:"left"`
	UsedUp time.Time `json:"used_up,omitzero"`
}

// Preparation says how many new keys are needed, so that the pool lasts through the time that it takes to prepare them and the
// time to be covered after that. Their number goes by the higher one of the day's and the week's rate: an hour says nothing about
// many days. The times are zero if none is needed.
type Preparation struct {
	Keys       int64     `json:"keys"`
	Limit      int64     `json:"limit"` // products that a new key may order: as many as the one that was added last
	Basis      string    `json:"basis"` // the rate by which they are counted
	ReadyBy    time.Time `json:"ready_by,omitzero"`
	StartBy    time.Time `json:"start_by,omitzero"` // the lead before that; it may have passed
	LeadHours  int64     `json:"lead_hours"`
	CoverHours int64     `json:"cover_hours"`
}

// usualLimit is the limit of a new key in a pool that has none.
const usualLimit = 1000

// Forecast looks ahead. keys are all that ever belonged to the pool, in the order in which they came: what the others ordered is
// part of the rate. Its times are whole seconds.
func (c *Consumption) Forecast(pool string, now time.Time, keys []KeyStock, look Outlook) Forecast {
	now = now.UTC().Truncate(time.Second)
	f := Forecast{Pool: pool, At: now, Active: []KeyUsedUp{}, Prepare: Preparation{Limit: usualLimit}}
	appKeys := make([]string, 0, len(keys))
	for _, k := range keys {
		appKeys = append(appKeys, k.AppKey)
		f.Left += k.Left
		if k.Limit > 0 {
			f.Prepare.Limit = k.Limit
		}
		switch k.State {
		case "active":
			f.Active = append(f.Active, KeyUsedUp{AppKey: k.AppKey, Left: k.Left})
		case "ready":
			f.Ready++
		}
	}
	f.Rates = c.Rates(now, appKeys)
	fastest := highest(f.Rates)
	f.Basis, f.UsedUp = fastest.Over, usedUp(now, fastest, f.Left)
	for i := range f.Active {
		f.Active[i].UsedUp = usedUp(now, fastest, f.Active[i].Left*int64(len(f.Active)))
	}
	f.Prepare.plan(f, look)
	return f
}

// plan fills in how many keys are needed, and by when.
func (p *Preparation) plan(f Forecast, look Outlook) {
	p.LeadHours, p.CoverHours = int64(look.Lead/time.Hour), int64(look.Cover/time.Hour)
	rate := highest(f.Rates[1:])
	p.Basis = rate.Over
	needed := rate.in(look.Lead+look.Cover) - f.Left
	if needed <= 0 {
		return
	}
	p.Keys = (needed + p.Limit - 1) / p.Limit
	p.ReadyBy = f.UsedUp
	p.StartBy = f.UsedUp.Add(-look.Lead)
}

// in is how many products are ordered in a time, rounded up.
func (r Rate) in(span time.Duration) int64 {
	seconds := int64(span / time.Second)
	return (r.Products*seconds + r.Seconds - 1) / r.Seconds
}

func highest(rates []Rate) Rate {
	best := rates[0]
	for _, rate := range rates[1:] {
		if rate.faster(best) {
			best = rate
		}
	}
	return best
}

func usedUp(now time.Time, rate Rate, left int64) time.Time {
	if last, ends := rate.lasts(left); ends {
		return now.Add(last)
	}
	return time.Time{}
}
