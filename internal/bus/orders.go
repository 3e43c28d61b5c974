package bus

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// OrderAdmin is the work of those who decide about parked requests. Errors that are *worker.Trouble or *worker.Invalid are
// told to them; others are logged and told as "internal".
type OrderAdmin interface {
	// Parked lists the requests that are parked.
	Parked(ctx context.Context) ([]worker.Result, error)
	// Resolve takes a person's word on one order; see worker.Resolver.
	Resolve(ctx context.Context, resolution worker.Resolution) (worker.Result, error)
}

// ParkedOrder is one order of which it is not known whether it exists.
type ParkedOrder struct {
	Tenant     string      `json:"tenant"`
	RequestID  string      `json:"request_id"`
	OutOrderID string      `json:"out_order_id"`
	AppKey     string      `json:"app_key,omitempty"`
	AlsoOn     []string    `json:"also_on,omitempty"` // other keys that may have taken it instead
	Products   int64       `json:"products"`          // held on each key
	Code       worker.Code `json:"code"`
	Reason     string      `json:"reason,omitempty"`
	ParkedAt   time.Time   `json:"parked_at"`
}

// ResolveOrder says what became of a parked order: Placed with its ids at 1688, or Absent. It is named by OutOrderID, or by
// Tenant and RequestID if only one order of the request is open.
type ResolveOrder struct {
	Tenant     string   `json:"tenant,omitempty"`
	RequestID  string   `json:"request_id,omitempty"`
	OutOrderID string   `json:"out_order_id,omitempty"`
	Placed     []string `json:"placed,omitempty"`
	Absent     bool     `json:"absent,omitempty"`
	Force      bool     `json:"force,omitempty"`   // also against what 1688's list says
	DryRun     bool     `json:"dry_run,omitempty"` // only say what would happen
	By         string   `json:"by"`                // who says so
	Why        string   `json:"why,omitempty"`
}

// listParked asks for the list.
type listParked struct{}

func (l listParked) checked() (listParked, *worker.Invalid) { return l, nil }

// AdminOrders answers on purchase.admin.parked and .resolve, on the verbs of dead letters and on those of more endpoints, as the micro service
// "autopurchase-orders". Of several instances one answers each request. stop ends it and may be called once; closing the bus ends
// it too.
func (b *Bus) AdminOrders(ctx context.Context, orders OrderAdmin, more ...Endpoint) (stop func(), err error) {
	return b.admin(ctx, serviceOrders, "Decides about purchase requests.", append([]Endpoint{
		ordersParked.Answer(func(ctx context.Context, _ listParked) ([]ParkedOrder, error) {
			parked, err := orders.Parked(ctx)
			return parkedOrders(parked), err
		}),
		ordersResolve.Answer(func(ctx context.Context, ask ResolveOrder) (rawResult, error) {
			result, err := orders.Resolve(ctx, ask.resolution())
			return rawResult{result}, err
		}),
	}, append(deadEndpoints(b), more...)...)...)
}

// What may be asked about parked requests.
var (
	ordersParked  = Verb[listParked, []ParkedOrder]{subject: SubjectOrdersParked, reply: "parked-orders"}
	ordersResolve = Verb[ResolveOrder, rawResult]{subject: SubjectOrdersResolve, request: "order-resolve", reply: "result"}
)

// rawResult is a result as it is published.
type rawResult struct{ worker.Result }

// MarshalJSON writes it as the schema has it.
func (r rawResult) MarshalJSON() ([]byte, error) { return schemas.AppendResult(nil, r.Result), nil }

// UnmarshalJSON reads it so.
func (r *rawResult) UnmarshalJSON(body []byte) (err error) {
	r.Result, err = schemas.DecodeResult(body)
	return err
}

// parkedOrders lists the open orders. A request whose handling was given up is listed by its first order.
func parkedOrders(results []worker.Result) []ParkedOrder {
	orders := []ParkedOrder{} // not null
	for _, r := range results {
		open := r.Unknown
		if len(open) == 0 {
			open = []worker.OpenOrder{{OutOrderID: worker.Reference(r.Tenant, worker.EncodeRef(r.RequestID), 1)}}
		}
		for _, o := range open {
			orders = append(orders, ParkedOrder{Tenant: r.Tenant, RequestID: r.RequestID, OutOrderID: o.OutOrderID, AppKey: o.AppKey,
				AlsoOn: o.AlsoOn, Products: o.Products, Code: r.Code, Reason: r.Reason, ParkedAt: r.DecidedAt.UTC()})
		}
	}
	return orders
}

func (r ResolveOrder) resolution() worker.Resolution {
	return worker.Resolution{Tenant: r.Tenant, RequestID: r.RequestID, Reference: r.OutOrderID, Placed: r.Placed,
		Force: r.Force, DryRun: r.DryRun, By: r.By, Why: r.Why}
}

const maxPlaced = 50 // order ids

func (r ResolveOrder) checked() (ResolveOrder, *worker.Invalid) {
	invalid := func(field, reason string) (ResolveOrder, *worker.Invalid) {
		return r, &worker.Invalid{RequestID: r.RequestID, Field: field, Reason: reason}
	}
	if wrong := named(&r.Tenant, &r.RequestID, r.OutOrderID); wrong != nil {
		return r, wrong
	}
	switch {
	case (len(r.Placed) > 0) == r.Absent:
		return invalid("placed", "must be the order ids, or else absent must be true")
	case !orderIDs1688(r.Placed):
		return invalid("placed", fmt.Sprintf("must be up to %d different order ids, each 1 to 64 printable ASCII characters without blanks", maxPlaced))
	}
	return r, accountable(r.By, r.Why)
}

// named fills in what an order's name says of its request, or says what is wrong with how the two are named.
func named(tenant, id *string, outOrderID string) *worker.Invalid {
	invalid := func(field, reason string) *worker.Invalid {
		return &worker.Invalid{RequestID: *id, Field: field, Reason: reason}
	}
	if outOrderID != "" {
		of, ref, _, ours := worker.ParseReference(outOrderID)
		as, _ := worker.DecodeRef(ref)
		if !ours || *tenant != "" && *tenant != of || *id != "" && *id != as {
			return invalid("out_order_id", "must be one of the request's, as the list of parked orders has it")
		}
		*tenant, *id = of, as
	}
	switch {
	case *id == "":
		return invalid("out_order_id", "must be given, or tenant and request_id")
	case worker.CheckName(*tenant) != nil:
		return invalid("tenant", worker.CheckName(*tenant).Error())
	case worker.CheckID(*id) != nil:
		return invalid("request_id", worker.CheckID(*id).Error())
	}
	return nil
}

// accountable says what is wrong with who decides and why, if anything.
func accountable(by, why string) *worker.Invalid {
	switch {
	case by == "" || !visible(by, maxBy):
		return &worker.Invalid{Field: "by", Reason: fmt.Sprintf("must say who decides, in 1 to %d visible characters", maxBy)}
	case !visible(why, maxWhy):
		return &worker.Invalid{Field: "why", Reason: fmt.Sprintf("must have at most %d visible characters", maxWhy)}
	}
	return nil
}

func orderIDs1688(ids []string) bool {
	wrong := slices.ContainsFunc(ids, func(id string) bool { return worker.CheckID(id) != nil })
	return !wrong && len(ids) <= maxPlaced && len(slices.Compact(slices.Sorted(slices.Values(ids)))) == len(ids)
}

// visible says whether a text has nothing but graphic characters, and not more than so many.
func visible(text string, most int) bool {
	for _, r := range text {
		if r == utf8.RuneError || !unicode.IsGraphic(r) {
			return false
		}
	}
	return utf8.RuneCountInString(text) <= most
}

// ParkedOrders asks for the orders that wait for a person, the oldest first, of at most MaxParked requests. Errors as Verb.Ask.
func (b *Bus) ParkedOrders(ctx context.Context) ([]ParkedOrder, error) {
	return ordersParked.Ask(ctx, b, listParked{})
}

// ResolveOrder says what became of a parked order and gives the request's result, as published, or as it would
// be after a dry run. Errors as Verb.Ask.
func (b *Bus) ResolveOrder(ctx context.Context, order ResolveOrder) (worker.Result, error) {
	result, err := ordersResolve.Ask(ctx, b, order)
	return result.Result, err
}
