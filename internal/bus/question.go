package bus

import (
	"bytes"
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"autopurchase/worker"
)

const (
	// askTimeout bounds a request to a service on the asker's side.
	askTimeout = 10 * time.Second
	// adminTimeout bounds it on the service's side.
	adminTimeout = 5 * time.Second
)

// Question is what is asked for with a Verb: it fills in its defaults and checks itself.
type Question[Q any] interface {
	checked() (Q, *worker.Invalid)
}

// decodeQuestion reads strict JSON; an empty body asks with every default.
func decodeQuestion[Q any](body []byte) (Q, error) {
	var q Q
	if len(body) == 0 {
		body = []byte("{}")
	}
	if err := json.Unmarshal(body, &q, json.RejectUnknownMembers(true)); err != nil {
		return q, unreadable(err)
	}
	if name, found := nothing(body); found {
		return q, &worker.Invalid{Field: name, Reason: "must not be null: leave it out"}
	}
	return q, nil
}

// nothing names the first field that is null, which the decoder takes for one that is left out.
func nothing(body []byte) (name string, found bool) {
	in := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		token, err := in.ReadToken()
		if err != nil {
			return "", false // its end
		}
		if token.Kind() == 'n' {
			return cmp.Or(field(in.StackPointer()), "body"), true
		}
	}
}

// unreadable names the field; the decoder's own words may repeat a value.
func unreadable(err error) *worker.Invalid {
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(err, jsontext.ErrDuplicateName) {
		return &worker.Invalid{Field: field(syntactic.JSONPointer), Reason: "is there more than once"}
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	switch {
	case !ok || semantic.JSONPointer == "":
		return &worker.Invalid{Field: "body", Reason: "must be one JSON object with each field once"}
	case errors.Is(err, json.ErrUnknownName):
		return &worker.Invalid{Field: field(semantic.JSONPointer), Reason: "is not a field of this request"}
	}
	return &worker.Invalid{Field: field(semantic.JSONPointer), Reason: "has the wrong type"}
}

func field(pointer jsontext.Pointer) string { return strings.TrimPrefix(string(pointer), "/") }

// AdminError is a service's refusal: a code in the header Nats-Service-Error-Code, which is a worker.Code or a worker.DenyCode,
// and words in Nats-Service-Error that begin with the field if it is about one.
type AdminError struct {
	Code   string
	Reason string
}

// Error gives code and reason.
func (e *AdminError) Error() string { return e.Code + ": " + e.Reason }

func (b *Bus) refusal(subject string, err error) AdminError {
	if invalid, ok := errors.AsType[*worker.Invalid](err); ok {
		return AdminError{string(worker.CodeInvalid), invalid.Error()}
	}
	if denied, ok := errors.AsType[*worker.Denied](err); ok {
		return AdminError{string(denied.Code), denied.Error()}
	}
	if trouble, ok := errors.AsType[*worker.Trouble](err); ok && trouble.Reason != "" {
		return AdminError{string(trouble.Code), strings.ReplaceAll(trouble.Reason, "\n", "; ")} // a header is one line
	}
	b.config.Log.Error().Err(err).Str("subject", subject).Msg("admin request failed")
	return AdminError{string(worker.CodeInternal), "unexpected error; the worker's log has it"}
}
