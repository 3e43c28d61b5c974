package bus

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// Choices keeps what was chosen of requests' alternatives: the broker itself takes the first message about a request, and no other. It
// is safe for concurrent use, also by several processes.
type Choices struct{ bus *Bus }

// Choices gives the choices.
func (b *Bus) Choices() *Choices { return &Choices{b} }

// Chosen gives what was chosen for a request; see worker.Choices. The stream's leader is asked: whoever takes a choice for not made yet
// may make another.
func (c *Choices) Chosen(ctx context.Context, tenant, ref string) (choice worker.Choice, found bool, err error) {
	err = persist(ctx, "read what was chosen", func(ctx context.Context) (err error) {
		choice, found, err = c.read(ctx, tenant, ref)
		return err
	})
	return choice, found, err
}

func (c *Choices) read(ctx context.Context, tenant, ref string) (choice worker.Choice, found bool, err error) {
	msg, err := c.bus.latest(ctx, StreamChoices, choiceSubject(tenant, ref))
	if err != nil || msg == nil {
		return choice, false, err
	}
	if err := json.Unmarshal(msg.Data, &choice); err != nil {
		return choice, false, &worker.Trouble{Code: worker.CodeInternal, Reason: fmt.Sprintf("%s, sequence %d", msg.Subject, msg.Sequence), Err: err}
	}
	return choice, true, nil
}

// Choose puts a choice on record and gives the one that stands; see worker.Choices.
func (c *Choices) Choose(ctx context.Context, tenant, ref string, choice worker.Choice) (stands worker.Choice, err error) {
	body, err := json.Marshal(choice)
	if err != nil {
		return choice, err
	}
	err = persist(ctx, "put on record what was chosen", func(ctx context.Context) error {
		_, err := c.bus.js.PublishMsg(ctx, traced(ctx, message(choiceSubject(tenant, ref), body)), jetstream.WithExpectStream(StreamChoices),
			jetstream.WithExpectLastSequencePerSubject(0))
		stands = choice
		if !wrongLast(err) {
			return err
		}
		var found bool
		if stands, found, err = c.read(ctx, tenant, ref); err == nil && !found {
			err = errFaster // it aged away in this moment
		}
		return err
	})
	return stands, err
}

// withChoice gives a request with what is on record of its choice. One that was made for another request under the same id is not its.
func (b *Bus) withChoice(ctx context.Context, r worker.Request) (worker.Request, error) {
	if !r.HasAlternatives() {
		return r, nil
	}
	choice, found, err := b.Choices().Chosen(ctx, r.Tenant, worker.EncodeRef(r.ID))
	if err == nil && found {
		r, _ = r.Choose(choice)
	}
	return r, err
}

var _ worker.Choices = (*Choices)(nil)
