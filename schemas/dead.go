package schemas

import (
	"math"

	"autopurchase/worker"
)

const (
	maxSubject = 4096
	maxField   = 200
)

// DecodeDeadLetter reads a dead letter. Errors are *worker.Invalid. It is safe for concurrent use and keeps nothing of body.
func DecodeDeadLetter(body []byte) (worker.DeadLetter, error) {
	var letter worker.DeadLetter
	if invalid := decode(body, deadTable, &letter); invalid != nil {
		invalid.RequestID = findID(body)
		return worker.DeadLetter{}, invalid
	}
	return letter, nil
}

var deadTable = table[worker.DeadLetter]{
	{"tenant", optional, func(r *reader, d *worker.DeadLetter) fault { return r.matching(&d.Tenant, worker.CheckName) }},
	{"subject", required, func(r *reader, d *worker.DeadLetter) fault { return r.filled(&d.Subject, maxSubject) }},
	{"sequence", required, func(r *reader, d *worker.DeadLetter) fault { return whole(r, &d.Sequence, 0, maxSafe) }},
	{"request_id", optional, func(r *reader, d *worker.DeadLetter) fault { return r.matching(&d.RequestID, worker.CheckID) }},
	{"code", required, func(r *reader, d *worker.DeadLetter) fault { return oneOf(r, &d.Code, codes) }},
	{"field", optional, func(r *reader, d *worker.DeadLetter) fault { return r.visible(&d.Field, maxField) }},
	{"reason", required, func(r *reader, d *worker.DeadLetter) fault { return r.visible(&d.Reason, maxReason) }},
	{"attempt", required, func(r *reader, d *worker.DeadLetter) fault { return whole(r, &d.Attempt, 0, math.MaxInt32) }},
	{"replays", optional, func(r *reader, d *worker.DeadLetter) fault { return whole(r, &d.Replays, 1, math.MaxInt32) }},
	{"origin", optional, func(r *reader, d *worker.DeadLetter) fault { return whole(r, &d.Origin, 1, maxSafe) }},
	{"at", required, func(r *reader, d *worker.DeadLetter) fault { return r.moment(&d.At) }},
}

// AppendDeadLetter writes a dead letter. Texts that are empty are left out; subject, field and reason are made visible and
// cut at 4096, 200 and 500 characters.
func AppendDeadLetter(dst []byte, d worker.DeadLetter) []byte {
	w := writer(dst).open('{').
		some("tenant", d.Tenant).
		text("subject", legible(d.Subject, maxSubject)).
		number("sequence", int64(d.Sequence)).
		some("request_id", d.RequestID).
		text("code", string(d.Code)).
		words("field", d.Field, maxField).
		text("reason", legible(d.Reason, maxReason)).
		number("attempt", int64(d.Attempt))
	if d.Replays > 0 {
		w = w.number("replays", int64(d.Replays))
	}
	if d.Origin > 0 {
		w = w.number("origin", int64(d.Origin))
	}
	return w.moment("at", d.At.UTC()).close('}').bytes()
}
