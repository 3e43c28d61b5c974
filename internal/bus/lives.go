package bus

import (
	"context"
	"fmt"
	"slices"

	"autopurchase/worker"
)

// What may be asked about requests. Who keeps an index answers the first, every worker the second.
var (
	OrdersList = Verb[ListOrders, worker.Listing]{subject: ordersPrefix + "list", request: "order-list", reply: "orders"}
	OrdersShow = Verb[ShowOrder, worker.Life]{subject: ordersPrefix + "show", request: "order-show", reply: "order-life"}
)

// AdminRequests answers on the verbs of the endpoints, as the micro service "autopurchase-requests". Of several instances one
// answers each request. stop ends it and may be called once; closing the bus ends it too.
func (b *Bus) AdminRequests(ctx context.Context, endpoints ...Endpoint) (stop func(), err error) {
	return b.admin(ctx, serviceRequests, "Tells of purchase requests.", endpoints...)
}

// ListOrders asks for a part of the requests that a filter picks.
type ListOrders struct {
	worker.Filter
	Limit int    `json:"limit,omitempty"` // requests; 0: 50
	After string `json:"after,omitempty"` // Listing.Next of the part before
}

const (
	defaultListed  = 50
	maxListed      = 500
	maxFilterText  = 4000 // characters
	maxAlternative = 64   // states or codes
)

// Page is the part.
func (l ListOrders) Page() worker.Page { return worker.Page{Limit: l.Limit, After: l.After} }

func (l ListOrders) checked() (ListOrders, *worker.Invalid) {
	setDefault(&l.Limit, defaultListed)
	switch {
	case l.Limit < 1 || l.Limit > maxListed:
		return l, &worker.Invalid{Field: "limit", Reason: fmt.Sprintf("must be 1 to %d requests", maxListed)}
	case !l.To.IsZero() && !l.From.Before(l.To):
		return l, &worker.Invalid{Field: "to", Reason: "must be after from"}
	case len(l.States) > maxAlternative:
		return l, &worker.Invalid{Field: "states", Reason: fmt.Sprintf("must be at most %d", maxAlternative)}
	case len(l.Codes) > maxAlternative:
		return l, &worker.Invalid{Field: "codes", Reason: fmt.Sprintf("must be at most %d", maxAlternative)}
	}
	return l, l.known()
}

// known says which word is none that there is, or no text that can be looked for.
func (l ListOrders) known() *worker.Invalid {
	for i, state := range l.States {
		if !slices.Contains(worker.LifeStates(), state) {
			return &worker.Invalid{Field: fmt.Sprintf("states[%d]", i), Reason: "must be waiting, placed, partial, refused, cancelled or unknown"}
		}
	}
	for i, code := range l.Codes {
		if !slices.Contains(worker.Codes(), code) {
			return &worker.Invalid{Field: fmt.Sprintf("codes[%d]", i), Reason: "must be a code of results, such as out_of_stock"}
		}
	}
	for _, text := range []struct{ field, value string }{
		{"tenant", l.Tenant}, {"app_key", l.AppKey}, {"seller", l.Seller}, {"offer_id", l.Offer}, {"order_id", l.Order}, {"text", l.Text},
	} {
		if !visible(text.value, maxFilterText) {
			return &worker.Invalid{Field: text.field, Reason: fmt.Sprintf("must have at most %d visible characters", maxFilterText)}
		}
	}
	return nil
}

// ShowOrder asks for the life of a request, which is named by Tenant and RequestID or by one of its orders.
type ShowOrder struct {
	Tenant     string `json:"tenant,omitempty"`
	RequestID  string `json:"request_id,omitempty"`
	OutOrderID string `json:"out_order_id,omitempty"`
}

func (s ShowOrder) checked() (ShowOrder, *worker.Invalid) {
	if s.OutOrderID != "" {
		tenant, ref, _, ours := worker.ParseReference(s.OutOrderID)
		id, _ := worker.DecodeRef(ref)
		if !ours || s.Tenant != "" && s.Tenant != tenant || s.RequestID != "" && s.RequestID != id {
			return s, &worker.Invalid{Field: "out_order_id", Reason: "must be one of the request's, such as acme.PR-1-1"}
		}
		s.Tenant, s.RequestID = tenant, id
	}
	if err := worker.CheckName(s.Tenant); err != nil {
		return s, &worker.Invalid{Field: "tenant", Reason: err.Error()}
	}
	if err := worker.CheckID(s.RequestID); err != nil {
		return s, &worker.Invalid{Field: "request_id", Reason: err.Error()}
	}
	return s, nil
}

// ListOrders asks whoever keeps an index for a part of the requests that the filter picks. Errors as Verb.Ask; ErrNobody,
// wrapped, when nobody keeps one.
func (b *Bus) ListOrders(ctx context.Context, ask ListOrders) (worker.Listing, error) {
	return OrdersList.Ask(ctx, b, ask)
}

// ShowOrder asks for the life of a request. Errors as Verb.Ask.
func (b *Bus) ShowOrder(ctx context.Context, ask ShowOrder) (worker.Life, error) {
	return OrdersShow.Ask(ctx, b, ask)
}
