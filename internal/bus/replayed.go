package bus

import (
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"autopurchase/worker"
)

// The headers of a request that was asked for again.
const (
	// HeaderOrigin says what it comes of: "dead/<sequence of the letter>" for a replay, "request/<request id>" for a retry.
	HeaderOrigin = "Autopurchase-Origin"
	// HeaderBy and HeaderWhy say who asked for it again, and why.
	HeaderBy  = "Autopurchase-By"
	HeaderWhy = "Autopurchase-Why"

	// headerAttempt is how often the request had been delivered before its replay.
	headerAttempt = "Autopurchase-Attempt"
	// headerPublished is when it was published first, if something may have been drawn for it since.
	headerPublished = "Autopurchase-Published"

	originDead    = "dead/"
	originRequest = "request/"
)

// addressed is what the subject and the headers of a stored request say.
type addressed struct {
	lane        worker.Lane
	tenant, ref string // "" when it cannot be read
	replay      int    // 0 for the request itself
	letter      uint64
	due         bool      // it was held
	attempt     int       // deliveries before the replay
	published   time.Time // zero when nothing was ever drawn before the replay
}

// address reads them. A replay has one token more in its subject, and says of which letter it is one; without that the token is
// one too many, as where somebody forgot to encode an id.
func address(subject string, header nats.Header) addressed {
	lane, rest := laneOf(subject)
	if first, number, found := cutThird(rest); found {
		if a, ok := released(header); ok && number == dueToken {
			a.lane, a.due = lane, true
			a.tenant, a.ref = parseTokens(first)
			return a
		}
		if a, ok := replayed(header); ok && strconv.Itoa(atoi(number)) == number && atoi(number) > 0 {
			a.lane, a.replay = lane, atoi(number)
			a.tenant, a.ref = parseTokens(first)
			return a
		}
	}
	a := addressed{lane: lane}
	a.tenant, a.ref = parseTokens(rest)
	return a
}

func replayed(header nats.Header) (a addressed, ok bool) {
	letter, found := strings.CutPrefix(header.Get(HeaderOrigin), originDead)
	sequence, err := strconv.ParseUint(letter, 10, 63)
	if !found || err != nil || sequence == 0 {
		return a, false
	}
	a.letter, a.attempt = sequence, max(atoi(header.Get(headerAttempt)), 1)
	a.published, err = time.Parse(time.RFC3339Nano, header.Get(headerPublished))
	return a, err == nil || header.Get(headerPublished) == ""
}

// released reads the headers of a request that was held.
func released(header nats.Header) (a addressed, ok bool) {
	if !strings.HasPrefix(header.Get(HeaderOrigin), originHeld) {
		return a, false
	}
	var err error
	a.attempt = max(atoi(header.Get(headerAttempt)), 1)
	a.published, err = time.Parse(time.RFC3339Nano, header.Get(headerPublished))
	return a, err == nil
}

// atoi gives 0 for what is no number of deliveries or replays.
func atoi(text string) int {
	n, err := strconv.ParseInt(text, 10, 31)
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

// onto writes it into a delivery. A replay goes on where the deliveries before it ended. What was held is still at its first one if that
// was the one by which it was held, but others may have it in hand, if that was not acknowledged.
func (a addressed) onto(d *worker.Delivery) {
	d.Lane, d.Tenant, d.Ref, d.Replay, d.Letter = a.lane, a.tenant, a.ref, a.replay, a.letter
	d.Due = a.due
	switch {
	case a.due:
		d.Attempt, d.Sole = min(d.Attempt, maxAttempts)+min(a.attempt, maxAttempts)-1, nil
	case a.replay > 0:
		d.Attempt, d.Sole = min(d.Attempt, maxAttempts)+min(a.attempt, maxAttempts), nil
	default:
		return
	}
	if !a.published.IsZero() && a.published.Before(d.Published) {
		d.Published = a.published
	}
}

// maxAttempts keeps a header from making a number of attempts that nobody can count on from.
const maxAttempts = 1 << 30
