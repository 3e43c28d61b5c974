package worker

import (
	"context"
	"slices"
	"time"
)

// Choices keeps what was chosen of requests' alternatives. Errors are *Trouble with CodeNATSDown.
type Choices interface {
	// Chosen gives what was chosen for a request; false if nothing is on record yet.
	Chosen(ctx context.Context, tenant, ref string) (Choice, bool, error)
	// Choose puts a choice on record and gives the one that stands, which is the first. A repeat changes nothing.
	Choose(ctx context.Context, tenant, ref string, choice Choice) (Choice, error)
}

// recall takes up what was chosen of the request's alternatives, if it was.
func (b *buyer) recall(ctx context.Context) error {
	if !b.request.HasAlternatives() {
		return nil
	}
	var choice Choice
	var found bool
	err := b.persist(ctx, func() (err error) {
		choice, found, err = b.Choices.Chosen(ctx, b.delivery.Tenant, b.delivery.Ref)
		return err
	})
	if err != nil || !found {
		return err
	}
	return b.take(choice)
}

// take goes by a choice that is on record.
func (b *buyer) take(choice Choice) error {
	request, own := b.request.Choose(choice)
	if !own {
		return &Trouble{Code: CodeConflict, Reason: "what was chosen under this id is another request's"}
	}
	b.request = &request
	return nil
}

// open says whether it is still to be chosen what is bought.
func (b *buyer) open() bool { return b.request.Choice == nil && b.request.HasAlternatives() }

// chosen previews an order, and as long as 1688 refuses lines that have another alternative, once more with that. The order that comes
// back is the one that the quotes, or the refusal, are about.
func (b *buyer) chosen(ctx context.Context, child Child) (Child, []Quote, Part, error) {
	if !b.open() {
		quotes, refused, err := b.quoted(ctx, &child.Order)
		return child, quotes, refused, err
	}
	c := newChoosing(child, b.request.Lines)
	for n := 1; ; n++ {
		now := c.child()
		quotes, refused, err := b.quoted(ctx, &now.Order)
		if err != nil || refused.State == "" {
			return now, quotes, refused, err
		}
		if refused.State != ClaimRefused || !c.next(now, refused) || n == maxPreviews {
			return child, nil, c.refused(refused), nil
		}
	}
}

// record puts on record what is bought, before anything is drawn for it. Where another delivery was faster its choice stands, and this
// one begins again with that.
func (b *buyer) record(ctx context.Context, pass []Child) error {
	if !b.open() || len(pass) == 0 {
		return nil
	}
	choice := Choice{RequestID: b.request.ID, Fingerprint: b.fingerprint, Chosen: b.request.choice(pass), At: time.Now().UTC()}
	var stands Choice
	err := b.persist(ctx, func() (err error) {
		stands, err = b.Choices.Choose(ctx, b.delivery.Tenant, b.delivery.Ref, choice)
		return err
	})
	if err == nil {
		err = b.take(stands)
	}
	if err == nil && !slices.Equal(stands.Chosen, choice.Chosen) {
		err = &Trouble{Code: CodeFenced, Reason: "another delivery has chosen other alternatives"}
	}
	return err
}

// unchosen is how an order ends that was drawn for, though it is not on record what is bought: a person must see what became of that.
func unchosen() Part {
	return Part{State: ClaimUnknown, Code: CodeLost, Reason: "it was drawn for, and what was chosen of its alternatives is no longer on record"}
}
