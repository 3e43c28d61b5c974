package bus

import (
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"autopurchase/worker"
)

// Change is a part of every question that changes something: who asks for it and why, for the journal.
type Change struct {
	// ID is the message's id, in its header Nats-Msg-Id and not in its body: the same message again changes nothing and has the
	// same answer. Ask makes one if it is "".
	ID  string `json:"-"`
	By  string `json:"by,omitempty"` // who; required
	Why string `json:"why,omitempty"`
	// Version is the one that the change was thought out against: it is refused as stale if what it is about has another one.
	// 0 is any.
	Version int64 `json:"version,omitempty"`
}

const (
	maxMessageID = 128 // characters
	maxBy        = 64
	maxWhy       = 200
)

// changer is a question with a Change in it.
type changer interface {
	id() string
	identify(id string, explained bool) error
}

func (c *Change) id() string {
	if c.ID == "" {
		c.ID = nuid.Next()
	}
	return c.ID
}

// identify takes the message's id and checks the change, but not who asks: its question does.
func (c *Change) identify(id string, explained bool) error {
	c.ID = id
	switch {
	case c.Version < 0:
		return &worker.Invalid{Field: "version", Reason: "must be a version, from 1, or 0 for any"}
	case !visible(id, maxMessageID):
		return &worker.Invalid{Field: nats.MsgIdHdr, Reason: fmt.Sprintf("must have at most %d visible characters", maxMessageID)}
	case !visible(c.Why, maxWhy):
		return &worker.Invalid{Field: "why", Reason: fmt.Sprintf("must have at most %d visible characters", maxWhy)}
	case explained && c.Why == "":
		return &worker.Invalid{Field: "why", Reason: "must be given for this"}
	}
	return nil
}

// signed says what is wrong with who asks.
func (c Change) signed() *worker.Invalid {
	if c.By == "" || !visible(c.By, maxBy) {
		return &worker.Invalid{Field: "by", Reason: fmt.Sprintf("must say who asks, in 1 to %d visible characters", maxBy)}
	}
	return nil
}
