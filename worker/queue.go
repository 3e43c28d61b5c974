package worker

import "time"

// QueueStatus is how the queue is, merged from what every instance says and what the stores say: what the schema queue-status
// describes. Of something that could not be asked the field is left out or 0, and Unasked names it.
type QueueStatus struct {
	Depth         uint64  `json:"depth"`          // requests without an end
	InFlight      int     `json:"in_flight"`      // of them, delivered to a worker
	OldestSeconds int64   `json:"oldest_seconds"` // how long the oldest of them waits
	RateIn        float64 `json:"rate_in"`        // requests a second, over the last minute
	RateOut       float64 `json:"rate_out"`       // requests finished a second, over the last minute

	Held      uint64    `json:"held,omitempty"`      // requests whose time has not come; none of Depth
	HeldUntil time.Time `json:"held_until,omitzero"` // when that of the first is, if there are not too many to look

	Paused        bool   `json:"paused"`            // no worker fetches
	PausedBecause string `json:"paused_because"`    // one sentence for people
	Waiting       string `json:"waiting,omitempty"` // for which orders in workers' hands no key has room; a sentence too

	Workers      int            `json:"workers"` // instances that said something lately
	Relays       int            `json:"relays"`  // different ones that they are connected to
	Keys         KeyCounts      `json:"keys"`    // of all pools
	ProductsLeft int64          `json:"products_left"`
	UsedUpAt     time.Time      `json:"used_up_at,omitzero"`   // when the first pool will be used up, if it goes on like this
	Unknown      int64          `json:"unknown"`               // requests parked for a person
	Dead         int64          `json:"dead"`                  // dead letters
	Unpaid       int64          `json:"unpaid,omitempty"`      // payments that want a person
	PayStopped   *Switch        `json:"pay_stopped,omitempty"` // by whom all payments were stopped; nil if they are not
	Pools        []PoolStatus   `json:"pools"`
	Tenants      []TenantStatus `json:"tenants"`
	Lanes        []LaneStatus   `json:"lanes"`
	Instances    []Instance     `json:"instances"`
	Pauses       []Pause        `json:"pauses,omitempty"`  // what keeps workers from fetching, the most important first
	Crowds       []Crowd        `json:"crowds,omitempty"`  // what Waiting says
	Unasked      []string       `json:"unasked,omitempty"` // what is out of reach of who answers: the Unasked… below
	At           time.Time      `json:"at"`
}

// What may be out of reach of who answers how the queue is.
const (
	UnaskedNATS   = "nats"   // its streams: depth, rates, parked and dead
	UnaskedRedis  = "redis"  // keys and pools
	UnaskedOthers = "others" // the workers
)

// KeyCounts counts app keys by state.
type KeyCounts struct {
	Onboarding int `json:"onboarding"`
	Ready      int `json:"ready"`
	Active     int `json:"active"`
	Spent      int `json:"spent"`
	Benched    int `json:"benched"`
	Stopped    int `json:"stopped"`
	Disabled   int `json:"disabled"`
	Retired    int `json:"retired"`
}

// PoolStatus is how one pool is.
type PoolStatus struct {
	Pool         string    `json:"pool"`
	Keys         KeyCounts `json:"keys"`
	ProductsLeft int64     `json:"products_left"`
	Held         int64     `json:"held"` // products of orders under way or unknown
	UsedUpAt     time.Time `json:"used_up_at,omitzero"`
}

// OtherTenants stands for the tenants that are not named one by one.
const OtherTenants = "*"

// TenantStatus is how much of a tenant's waits.
type TenantStatus struct {
	Tenant  string `json:"tenant"`  // or OtherTenants
	Waiting uint64 `json:"waiting"` // never delivered yet
}

// LaneStatus is how much waits in a lane.
type LaneStatus struct {
	Lane    Lane   `json:"lane"`
	Waiting uint64 `json:"waiting"` // never delivered yet
}

// Instance is what one worker says about itself.
type Instance struct {
	Instance   string    `json:"instance"`
	InFlight   int64     `json:"in_flight"` // requests it is handling
	Finished   int64     `json:"finished"`  // since it started
	Concurrent int       `json:"concurrent"`
	Pauses     []Pause   `json:"pauses,omitempty"` // why it does not fetch
	Crowds     []Crowd   `json:"crowds,omitempty"` // orders in its hands for which no key has room
	Relay      string    `json:"relay,omitempty"`  // instance of the relay that it is connected to; "" while it is not
	Started    time.Time `json:"started"`
	At         time.Time `json:"at"`             // when it said so
	Gone       bool      `json:"gone,omitempty"` // its last word: it has stopped
}

// Paused says whether it does not fetch.
func (i Instance) Paused() bool { return len(i.Pauses) > 0 }
