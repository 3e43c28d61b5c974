package channel

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"time"
)

// route is a worker's way to its relays: which one is dialled next, and how it went since a connection last held. It belongs
// to the connecting goroutine.
type route struct {
	relays   []string // their addresses
	at       int      // the present one
	told     []string // by relay, why it was last said to be closed
	failures int      // in a row, over all relays
	hopeless int      // in a row
}

// newRoute begins at a random relay, so that workers with one list spread over it.
func newRoute(list string) *route {
	r := &route{}
	for address := range strings.SplitSeq(list, ",") {
		r.relays = append(r.relays, strings.TrimSpace(address))
	}
	r.told = make([]string, len(r.relays))
	r.at = rand.N(len(r.relays))
	return r
}

func (r *route) address() string { return r.relays[r.at] }

// host names the present relay. It leaves out what else is in its address, which may be a password.
func (r *route) host() string {
	u, err := url.Parse(r.address())
	if err != nil {
		return ""
	}
	return u.Host
}

// opened makes whatever is told next news.
func (r *route) opened() { clear(r.told) }

// news says whether the present relay was last told to be closed for another reason.
func (r *route) news(why string) bool {
	old := r.told[r.at]
	r.told[r.at] = why
	return old != why
}

// onward turns to the next relay after a connection that lived for a while, and says how long to wait before it is dialled.
// Waits grow with each round over all relays; they are slow only if a person has to act on every one of them.
func (r *route) onward(lived time.Duration, cause error, b Backoff) time.Duration {
	if r.failures++; lived > b.Max {
		r.failures = 1
	}
	if r.hopeless++; !hopeless(cause) {
		r.hopeless = 0
	}
	r.at = (r.at + 1) % len(r.relays)
	if 0 < r.hopeless && r.hopeless < len(r.relays) {
		return jitter(b.First)
	}
	return b.wait(cause, (r.failures-1)/len(r.relays)+1)
}
