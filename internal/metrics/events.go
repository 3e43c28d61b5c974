package metrics

import "autopurchase/worker"

// Observe takes what a worker did; it is for worker.Config.
func (s *Set) Observe(e worker.Event) {
	code := codeLabel(e.Code)
	s.events.WithLabelValues(string(e.Stage), code).Inc()
	switch e.Stage {
	case worker.StageFinished:
		s.requests.WithLabelValues(string(worker.Dispose(e.Code).Outcome), code).Inc()
		s.took(stageWhole, e.Took)
	case worker.StageParked:
		s.requests.WithLabelValues(string(worker.OutcomeUnknown), code).Inc()
		s.took(stageWhole, e.Took)
	case worker.StageRejected:
		s.requests.WithLabelValues(string(worker.OutcomeRefused), code).Inc()
	}
}

// PoolEvent takes an event that the journal of the key pools did not have before.
func (s *Set) PoolEvent(e worker.PoolEvent) { s.pool.WithLabelValues(e.Pool, string(e.Kind)).Inc() }
