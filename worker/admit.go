package worker

import (
	"cmp"
	"errors"
)

// Decoder reads a request's body strictly. What breaks a rule is an *Invalid; anything else is unexpected.
type Decoder func(body []byte) (*Request, error)

// Admit reads a delivery and says what is wrong with it, if anything. A request must be what its subject says: the broker
// keeps one message per subject, and that is what makes an id unique.
func Admit(d *Delivery, decode Decoder) (*Request, *Invalid) {
	request, err := decode(d.Body)
	switch {
	case d.Tenant == "" || d.Ref == "":
		return nil, &Invalid{RequestID: readableID(request, err), Field: "subject",
			Reason: "must be purchase.request.<tenant>.<ref> with the request id in its encoded form as <ref>"}
	case err != nil:
		return nil, asInvalid(err)
	case EncodeRef(request.ID) != d.Ref:
		return nil, &Invalid{RequestID: request.ID, Field: "request_id", Reason: "is not the id that the subject names"}
	case request.Priority != "" && request.Priority != d.lane():
		return nil, &Invalid{RequestID: request.ID, Field: "priority",
			Reason: "is not that of its subject, which is in lane " + string(d.lane())}
	}
	request.Tenant, request.Priority = d.Tenant, d.lane()
	if invalid := request.untimely(d.Published); invalid != nil {
		return nil, invalid
	}
	return request, nil
}

// lane is the one that the delivery was in.
func (d *Delivery) lane() Lane { return cmp.Or(d.Lane, LaneNormal) }

func asInvalid(err error) *Invalid {
	if invalid, ok := errors.AsType[*Invalid](err); ok {
		return invalid
	}
	return &Invalid{Field: "body", Reason: "cannot be read"}
}

func readableID(request *Request, err error) string {
	if invalid, ok := errors.AsType[*Invalid](err); ok {
		return invalid.RequestID
	}
	if err != nil {
		return ""
	}
	return request.ID
}

// Rejection is the refused result of a delivery that was not admitted, if anybody can be told: a subject that names a
// request is answered there, since the message on it is that request; otherwise the id in the body is answered aside.
func Rejection(d *Delivery, invalid *Invalid) (Result, bool) {
	result := Result{
		Tenant:  d.Tenant,
		Outcome: OutcomeRefused,
		Code:    CodeInvalid,
		Reason:  invalid.Error(),
		Attempt: d.Attempt,
	}
	if id, err := DecodeRef(d.Ref); err == nil {
		result.RequestID = id
	} else {
		result.RequestID, result.Aside = invalid.RequestID, true
	}
	return result, d.Tenant != "" && CheckID(result.RequestID) == nil
}
