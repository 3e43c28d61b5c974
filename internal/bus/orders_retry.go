package bus

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// OrdersRetry asks again for what ended without being bought.
var OrdersRetry = Verb[RetryOrder, RetriedOrder]{subject: SubjectOrdersRetry, request: "order-retry", reply: "order-retried"}

// RetryOrder names a request whose lines that were not bought are to be asked for again.
type RetryOrder struct {
	Tenant    string    `json:"tenant"`
	RequestID string    `json:"request_id"`
	Force     bool      `json:"force,omitempty"`   // also what asking again does not change, as far as is known
	Deadline  time.Time `json:"deadline,omitzero"` // the new request's; left out keeps the old one
	DryRun    bool      `json:"dry_run,omitempty"` // only say what would happen
	By        string    `json:"by"`
	Why       string    `json:"why,omitempty"`
}

func (r RetryOrder) checked() (RetryOrder, *worker.Invalid) {
	if r.RequestID == "" {
		return r, &worker.Invalid{Field: "request_id", Reason: "must be given"}
	}
	if wrong := named(&r.Tenant, &r.RequestID, ""); wrong != nil {
		return r, wrong
	}
	return r, accountable(r.By, r.Why)
}

// Retry is what is asked for, as the domain has it.
func (r RetryOrder) Retry() worker.Retry {
	return worker.Retry{Tenant: r.Tenant, RequestID: r.RequestID, Force: r.Force, Deadline: r.Deadline, DryRun: r.DryRun, By: r.By, Why: r.Why}
}

// RetriedOrder says under which id it is asked for again.
type RetriedOrder struct {
	Tenant    string         `json:"tenant"`
	RequestID string         `json:"request_id"`
	RetryID   string         `json:"retry_id"`
	New       bool           `json:"new"`               // asked now; false if it was before
	Lines     int            `json:"lines"`             // of the request under retry_id
	Outcome   worker.Outcome `json:"outcome,omitempty"` // of the one that was asked for before; left out while it is undecided
}

// AskAgain stores a request under its new id, with the word of where it comes from; see worker.Again.
func (b *Bus) AskAgain(ctx context.Context, request worker.Request, origin string, r worker.Retry) (taken bool, err error) {
	msg := message(requestSubject(request.Priority, request.Tenant, worker.EncodeRef(request.ID)), schemas.AppendRequest(nil, request))
	msg.Header = alone(requestSubjects(request.Tenant, worker.EncodeRef(request.ID)))
	msg.Header[HeaderOrigin], msg.Header[HeaderBy] = []string{originRequest + origin}, []string{r.By}
	if r.Why != "" {
		msg.Header.Set(HeaderWhy, r.Why)
	}
	taken, err = b.again(ctx, msg)
	if err != nil || taken {
		return taken, err
	}
	return false, b.Keep(ctx, worker.Deed{What: worker.DeedRetried, Tenant: request.Tenant, RequestID: origin,
		Text: "asked for again as " + request.ID, By: r.By, Why: r.Why, At: time.Now().UTC()})
}

// retryOf is the id of the request that a stored one is a retry of, "" for none.
func retryOf(header nats.Header) string {
	origin, found := strings.CutPrefix(header.Get(HeaderOrigin), originRequest)
	if !found {
		return ""
	}
	return origin
}
