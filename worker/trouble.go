package worker

import (
	"errors"
	"fmt"
	"time"
)

// Trouble is why a request cannot go on now, or at all: a code of the vocabulary and words for people.
type Trouble struct {
	Code   Code
	Reason string        // names the thing, never a secret or a buyer's data
	After  time.Duration // how long to wait; 0 leaves it to the code's disposition
	Payer  Payer         // CodeNoKey: which keys have no room
	Err    error         // what it came from, if anything
}

// Error gives code, reason and cause in one line.
func (t *Trouble) Error() string {
	if t.Err != nil {
		return fmt.Sprintf("%s: %s: %v", t.Code, t.Reason, t.Err)
	}
	return fmt.Sprintf("%s: %s", t.Code, t.Reason)
}

// Unwrap gives the cause.
func (t *Trouble) Unwrap() error { return t.Err }

// AsTrouble finds the Trouble in an error; any other error is CodeInternal.
func AsTrouble(err error) *Trouble {
	if t, ok := errors.AsType[*Trouble](err); ok {
		return t
	}
	return &Trouble{Code: CodeInternal, Reason: "unexpected error", Err: err}
}

// Invalid is what is wrong with a request that breaks a rule of its schema. Its texts name the field and the rule and never
// repeat the value, which may be a buyer's.
type Invalid struct {
	RequestID string // as far as it could be read, else ""
	Field     string // such as "lines[2].quantity", or "body"
	Reason    string // such as "must be a whole number above 0"
}

// Error gives field and reason.
func (i *Invalid) Error() string { return i.Field + ": " + i.Reason }
