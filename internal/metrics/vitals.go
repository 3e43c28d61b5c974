package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"autopurchase/worker"
)

var (
	descWorking = desc("worker_in_flight", "Requests that this worker is handling.")
	descPaused  = desc("worker_paused", "Whether this worker takes nothing for this reason: 1 or 0.", "code")
	descWaiting = desc("worker_waiting_orders", "Orders in this worker's hands for which no app key has room.", "pool")
	descChannel = desc("channel_open", "Whether this worker is connected to a relay: 1 or 0.")
)

// vitals are a worker's, asked for at each scrape.
type vitals struct {
	ask  func() worker.Vitals
	open func() bool
}

// Vitals has a worker asked how it is, and whether its channel is open. It is called once.
func (s *Set) Vitals(ask func() worker.Vitals, open func() bool) {
	s.registry.MustRegister(vitals{ask, open})
}

// Describe lists what Collect may give.
func (v vitals) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descWorking, descPaused, descWaiting, descChannel} {
		to <- d
	}
}

// Collect has every reason to pause, also those that are not there now: an alert needs a 0 to end by.
func (v vitals) Collect(to chan<- prometheus.Metric) {
	now := v.ask()
	gauge(to, descWorking, float64(now.InFlight))
	gauge(to, descChannel, flag(v.open()))
	paused := map[worker.Code]bool{}
	for _, pause := range now.Pauses {
		paused[pause.Code] = true
	}
	for _, code := range worker.Codes() {
		if worker.Dispose(code).Pauses {
			gauge(to, descPaused, flag(paused[code]), string(code))
		}
	}
	for _, crowd := range now.Waiting {
		gauge(to, descWaiting, float64(crowd.Orders), crowd.Pool)
	}
}
