package relay

import (
	"errors"
	"slices"
	"sync"

	"autopurchase/internal/alibaba"
)

// maxTopics is how many topics of test pushes are remembered for each key.
const maxTopics = 64

// heard is what a key's message session heard from the platform since this relay started.
type heard struct {
	mu     sync.Mutex
	acked  bool
	why    string   // it is not acknowledged
	topics []string // of test pushes
}

// observe is for alibaba.Session: nil when the platform acknowledged the key, else why a connection ended.
func (h *heard) observe(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.acked, h.why = true, ""
		return
	}
	if _, complaint := errors.AsType[*alibaba.SystemError](err); !complaint {
		h.acked = false // the connection is gone; after a mere complaint it lives on
	}
	h.why = err.Error()
}

func (h *heard) mock(topic string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.topics, topic) && len(h.topics) < maxTopics {
		h.topics = append(h.topics, topic)
	}
}

func (h *heard) connected() (acked bool, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.acked, h.why
}

func (h *heard) tests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.topics)
}
