package bus

import (
	"errors"
	"fmt"
	"strings"
	"sync"
)

// ErrForbidden is returned, wrapped, when the user may not do what was asked.
var ErrForbidden = errors.New("this user may not do that")

// refusals remembers what the broker has forbidden. It says so beside the call, which hears nothing and ends with its patience.
type refusals struct {
	mutex sync.Mutex
	of    map[string]bool // areas
}

// maxRefusals is how many areas are remembered: somebody may try many tenants.
const maxRefusals = 1000

// add takes the broker's words, which end with the subject in quotation marks.
func (r *refusals) add(words string) {
	parts := strings.Split(words, `"`)
	if len(parts) < 3 {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.of == nil || len(r.of) == maxRefusals {
		r.of = map[string]bool{}
	}
	r.of[area(parts[1])] = true
}

func (r *refusals) has(subject string) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.of[area(subject)]
}

// area is the part of a subject that rights are about: of a request its tenant, of anything else all of it.
func area(subject string) string {
	rest, isRequest := strings.CutPrefix(subject, requestPrefix)
	if !isRequest {
		return subject
	}
	tenant, _, _ := strings.Cut(rest, ".")
	return requestPrefix + tenant
}

// explain is ErrForbidden where that is why a call on the subject failed, else the error itself.
func (b *Bus) explain(err error, subject string) error {
	if err == nil || !b.forbidden.has(subject) {
		return err
	}
	return fmt.Errorf("%w (%s)", ErrForbidden, subject)
}
