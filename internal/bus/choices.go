package bus

import (
	"context"

	"autopurchase/worker"
)

// Choices keeps what was chosen of requests' alternatives. It is safe for concurrent use, also by several processes.
type Choices struct{ once once[worker.Choice] }

// Choices gives the choices.
func (b *Bus) Choices() *Choices {
	return &Choices{once[worker.Choice]{b, StreamChoices, "what was chosen"}}
}

// Chosen gives what was chosen for a request; see worker.Choices.
func (c *Choices) Chosen(ctx context.Context, tenant, ref string) (choice worker.Choice, found bool, err error) {
	return c.once.read(ctx, choiceSubject(tenant, ref))
}

// Choose puts a choice on record and gives the one that stands; see worker.Choices.
func (c *Choices) Choose(ctx context.Context, tenant, ref string, choice worker.Choice) (stands worker.Choice, err error) {
	return c.once.write(ctx, choiceSubject(tenant, ref), choice)
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
