package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Survey is how the queue and the key pools are, as far as NATS and Redis said.
type Survey struct {
	Queue *Queue // nil while NATS does not say
	Pools []Pool
	Down  map[string]bool // of "nats" and "redis", which did not say
}

// Queue is how much there is at the broker.
type Queue struct {
	Depth    uint64    // requests without an end
	InFlight int       // of them, delivered to a worker
	Oldest   time.Time // when the oldest of them was published; zero if there is none
	Parked   uint64    // requests that wait for a person
	Dead     uint64    // dead letters
}

// Pool is how much there is in a pool.
type Pool struct {
	Name string
	Low  int64 // what is left below which it is low
	Keys []Key
}

// Key is an app key.
type Key struct {
	AppKey, State    string
	Used, Held, Left int64
}

const (
	surveyAge  = 5 * time.Second // until it is asked for again, however often somebody scrapes
	surveyTime = 2 * time.Second // that it may take
)

// surveyor asks for a survey when somebody scrapes.
type surveyor struct {
	ask func(context.Context) Survey

	mutex sync.Mutex
	last  Survey
	at    time.Time
}

// Survey has the stores asked when somebody scrapes, and at most every 5 s. It is called once.
func (s *Set) Survey(ask func(context.Context) Survey) { s.registry.MustRegister(&surveyor{ask: ask}) }

func (s *surveyor) current() Survey {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.at.IsZero() || time.Since(s.at) >= surveyAge {
		ctx, cancel := context.WithTimeout(context.Background(), surveyTime)
		defer cancel()
		s.last, s.at = s.ask(ctx), time.Now()
	}
	return s.last
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

var (
	descReach    = desc("store_reachable", "Whether NATS and Redis said how things are: 1 or 0.", "store")
	descDepth    = desc("queue_depth", "Requests without an end.")
	descDelivery = desc("queue_in_flight", "Requests without an end that are delivered to a worker.")
	descOldest   = desc("queue_oldest_seconds", "How long the oldest request without an end has waited.")
	descParked   = desc("parked_requests", "Requests of which it is not known whether an order exists: a person must decide.")
	descDead     = desc("dead_letters", "Dead letters on record.")
	descKeys     = desc("keys", "App keys by state.", "pool", "state")
	descLow      = desc("pool_products_low", "What a pool can still take, below which it is low.", "pool")
	descUsed     = desc("pool_products_used", "Products counted on the app keys of a pool.", "pool")
	descHeld     = desc("pool_products_held", "Products held for orders under way or unknown.", "pool")
	descLeft     = desc("pool_products_left", "Products that the app keys of a pool can still take.", "pool")
	descKeyUsed  = desc("key_products_used", "Products counted on an app key.", "pool", "app_key")
	descKeyHeld  = desc("key_products_held", "Products held on an app key for orders under way or unknown.", "pool", "app_key")
	descKeyLeft  = desc("key_products_left", "Products that an app key can still take.", "pool", "app_key")
)

// Describe lists what Collect may give.
func (s *surveyor) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descReach, descDepth, descDelivery, descOldest, descParked, descDead,
		descKeys, descLow, descUsed, descHeld, descLeft, descKeyUsed, descKeyHeld, descKeyLeft,
	} {
		to <- d
	}
}

// Collect gives what the survey says. Of what was not said there is nothing: an old number would be taken for the present one.
func (s *surveyor) Collect(to chan<- prometheus.Metric) {
	survey := s.current()
	for _, store := range []string{"nats", "redis"} {
		gauge(to, descReach, flag(!survey.Down[store]), store)
	}
	if q := survey.Queue; q != nil {
		gauge(to, descDepth, float64(q.Depth))
		gauge(to, descDelivery, float64(q.InFlight))
		gauge(to, descOldest, age(q.Oldest))
		gauge(to, descParked, float64(q.Parked))
		gauge(to, descDead, float64(q.Dead))
	}
	for _, pool := range survey.Pools {
		pool.collect(to)
	}
}

func (p Pool) collect(to chan<- prometheus.Metric) {
	var sum Key
	states := map[string]int{}
	for _, key := range p.Keys {
		states[key.State]++
		sum.Used, sum.Held, sum.Left = sum.Used+key.Used, sum.Held+key.Held, sum.Left+key.Left
		gauge(to, descKeyUsed, float64(key.Used), p.Name, key.AppKey)
		gauge(to, descKeyHeld, float64(key.Held), p.Name, key.AppKey)
		gauge(to, descKeyLeft, float64(key.Left), p.Name, key.AppKey)
	}
	for state, n := range states {
		gauge(to, descKeys, float64(n), p.Name, state)
	}
	gauge(to, descLow, float64(p.Low), p.Name)
	gauge(to, descUsed, float64(sum.Used), p.Name)
	gauge(to, descHeld, float64(sum.Held), p.Name)
	gauge(to, descLeft, float64(sum.Left), p.Name)
}

func gauge(to chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func flag(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func age(since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, time.Since(since).Seconds())
}
