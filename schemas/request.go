package schemas

import (
	"errors"
	"strings"
	"time"

	"autopurchase/worker"
)

const (
	// MaxLines is the most lines a request may have.
	MaxLines = 1000
	// MaxQuantity is the largest quantity of a line; it fits the 32-bit numbers of the systems behind.
	MaxQuantity = 1_000_000_000
)

// DecodeRequest reads a request. A field that is left out gets its default: pool "default", flow "general", pay "none". A
// spec_id of "" counts as left out, zeros behind the second decimal of money and behind a percentage are read over, and a
// deadline keeps its milliseconds. The tenant is in the subject and stays "".
//
// Errors are *worker.Invalid: the field that breaks a rule first, and the rule. RequestID is filled if the body says it
// anywhere, once and readable, whatever else is wrong. It is safe for concurrent use and keeps nothing of body.
func DecodeRequest(body []byte) (*worker.Request, error) {
	request := &worker.Request{Pool: "default", Flow: "general", Pay: "none"}
	invalid := decode(body, requestTable, request)
	if invalid == nil && request.Preview == worker.PreviewNever && request.HasAlternatives() {
		invalid = at("preview", broken("must not be never: alternatives are chosen in a preview"))
	}
	if invalid != nil {
		invalid.RequestID = findID(body)
		return nil, invalid
	}
	if !request.Deadline.IsZero() && !request.NotBefore.Before(request.Deadline) {
		return nil, &worker.Invalid{RequestID: request.ID, Field: "deadline", Reason: "must be after not_before"}
	}
	return request, nil
}

var requestTable = table[worker.Request]{
	{"request_id", required, func(r *reader, q *worker.Request) fault { return r.matching(&q.ID, worker.CheckID) }},
	{"pool", optional, func(r *reader, q *worker.Request) fault { return r.matching(&q.Pool, worker.CheckName) }},
	{"account", optional, func(r *reader, q *worker.Request) fault { return r.visible(&q.Account, 64) }},
	{"alipay", optional, func(r *reader, q *worker.Request) fault { return oneOf(r, &q.Alipay, neededWords) }},
	{"deliver_to", required, func(r *reader, q *worker.Request) fault { return readAddress(r, &q.DeliverTo) }},
	{"lines", required, func(r *reader, q *worker.Request) fault { return readLines(r, &q.Lines) }},
	{"priority", optional, func(r *reader, q *worker.Request) fault { return oneOf(r, &q.Priority, priorityWords) }},
	{"note", optional, func(r *reader, q *worker.Request) fault { return r.visible(&q.Note, 500) }},
	{"flow", optional, func(r *reader, q *worker.Request) fault { return r.matching(&q.Flow, checkFlow) }},
	{"max_total", optional, func(r *reader, q *worker.Request) fault { return r.yuan(&q.MaxTotal) }},
	{"price_tolerance", optional, func(r *reader, q *worker.Request) fault { return r.percent(&q.PriceTolerance) }},
	{"preview", optional, func(r *reader, q *worker.Request) fault { return oneOf(r, &q.Preview, previewWords) }},
	{"not_before", optional, func(r *reader, q *worker.Request) fault { return readDeadline(r, &q.NotBefore) }},
	{"hold_for", optional, func(r *reader, q *worker.Request) fault { return readSeconds(r, &q.HoldFor) }},
	{"deadline", optional, func(r *reader, q *worker.Request) fault { return readDeadline(r, &q.Deadline) }},
	{"pay", optional, func(r *reader, q *worker.Request) fault { return oneOf(r, &q.Pay, payWords) }},
	{"merge", optional, func(r *reader, q *worker.Request) fault { return r.truth(&q.Merge) }},
}

var lineTable = table[worker.Line]{
	{"offer_id", required, func(r *reader, l *worker.Line) fault { return r.matching(&l.OfferID, checkOfferID) }},
	{"spec_id", optional, func(r *reader, l *worker.Line) fault { return r.matching(&l.SpecID, checkSpecID) }},
	{"quantity", required, func(r *reader, l *worker.Line) fault { return whole(r, &l.Quantity, 1, MaxQuantity) }},
	{"unit_price", optional, func(r *reader, l *worker.Line) fault { return r.yuan(&l.UnitPrice) }},
	{"seller", optional, func(r *reader, l *worker.Line) fault { return r.visible(&l.Seller, 64) }},
	{"alternatives", optional, func(r *reader, l *worker.Line) fault {
		return readList(r, &l.Alternatives, worker.MaxAlternatives, alternativeTable.read)
	}},
}

var alternativeTable = table[worker.Alternative]{
	{"offer_id", required, func(r *reader, a *worker.Alternative) fault { return r.matching(&a.OfferID, checkOfferID) }},
	{"spec_id", optional, func(r *reader, a *worker.Alternative) fault { return r.matching(&a.SpecID, checkSpecID) }},
	{"max_unit_price", required, func(r *reader, a *worker.Alternative) fault { return r.yuan(&a.MaxUnitPrice) }},
}

var (
	payWords      = []string{"none", "auto"}
	previewWords  = []worker.Previewing{worker.PreviewNever, worker.PreviewAlways}
	priorityWords = worker.Lanes()
	neededWords   = []string{worker.AlipayBusiness}
)

// AppendRequest writes a request as DecodeRequest reads it. What is not set is left out.
func AppendRequest(dst []byte, q worker.Request) []byte {
	w := writer(dst).open('{').
		text("request_id", q.ID).
		some("pool", q.Pool).
		some("account", q.Account).
		some("alipay", q.Alipay)
	w = appendAddress(w.name("deliver_to").open('{'), &q.DeliverTo).close('}')
	w = writeList(w, "lines", q.Lines, appendLine).
		some("priority", string(q.Priority)).
		some("note", q.Note).
		some("flow", q.Flow).
		yuan("max_total", q.MaxTotal).
		some("price_tolerance", q.PriceTolerance).
		some("preview", string(q.Preview))
	if !q.NotBefore.IsZero() {
		w = w.moment("not_before", q.NotBefore)
	}
	if q.HoldFor > 0 {
		w = w.number("hold_for", int64(q.HoldFor/time.Second))
	}
	if !q.Deadline.IsZero() {
		w = w.moment("deadline", q.Deadline)
	}
	return w.some("pay", q.Pay).truth("merge", q.Merge).close('}').bytes()
}

func appendLine(w writer, l *worker.Line) writer {
	w = w.text("offer_id", l.OfferID).
		some("spec_id", l.SpecID).
		number("quantity", l.Quantity).
		yuan("unit_price", l.UnitPrice).
		some("seller", l.Seller)
	if len(l.Alternatives) > 0 {
		w = writeList(w, "alternatives", l.Alternatives, appendAlternative)
	}
	return w
}

func appendAlternative(w writer, a *worker.Alternative) writer {
	return w.text("offer_id", a.OfferID).some("spec_id", a.SpecID).yuan("max_unit_price", a.MaxUnitPrice)
}

func readLines(r *reader, into *[]worker.Line) fault {
	if invalid := readList(r, into, MaxLines, lineTable.read); invalid != nil {
		return invalid
	}
	if len(*into) == 0 {
		return broken("must have at least one line")
	}
	return nil
}

// maxHold is the longest that a request is held for from when it is published, in seconds: a week.
const maxHold = 7 * 24 * 3600

// readSeconds takes how long something is held for.
func readSeconds(r *reader, into *time.Duration) fault {
	var seconds int64
	invalid := whole(r, &seconds, 1, maxHold)
	*into = time.Duration(seconds) * time.Second
	return invalid
}

// readDeadline refuses the first millennium, where the zero time is, which means that nothing is said.
func readDeadline(r *reader, into *time.Time) fault {
	if invalid := r.moment(into); invalid != nil {
		return invalid
	}
	if into.Year() < 1000 {
		return broken("must be a time after the year 1000")
	}
	return nil
}

// percent takes a percentage from 0 to 100 and drops the zeros behind its decimals: "5.00" and "5" are the same.
func (r *reader) percent(into *string) fault {
	if invalid := r.matching(into, checkPercent); invalid != nil {
		return invalid
	}
	if strings.Contains(*into, ".") {
		*into = strings.TrimRight(strings.TrimRight(*into, "0"), ".")
	}
	return nil
}

var (
	errFlow    = errors.New("must be 1 to 32 lower-case letters, digits or \"_\"")
	errOfferID = errors.New("must be text of 1 to 20 digits without a leading zero")
	errSpecID  = errors.New("must be text of 32 hexadecimal digits")
	errPercent = errors.New("must be a percentage from 0 to 100 as decimal text with at most 2 decimals, such as \"2.5\"")
)

func checkFlow(text string) error {
	for _, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return errFlow
		}
	}
	if text == "" || len(text) > 32 {
		return errFlow
	}
	return nil
}

func checkOfferID(text string) error {
	if text == "" || len(text) > 20 || text[0] == '0' || !isDigits(text) {
		return errOfferID
	}
	return nil
}

func checkSpecID(text string) error {
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return errSpecID
		}
	}
	if text != "" && len(text) != 32 {
		return errSpecID
	}
	return nil
}

func checkPercent(text string) error {
	whole, decimals, hasPoint := strings.Cut(text, ".")
	switch {
	case whole == "" || len(whole) > 3 || !isDigits(whole), len(whole) > 1 && whole[0] == '0':
		return errPercent
	case hasPoint && (decimals == "" || len(decimals) > 2 || !isDigits(decimals)):
		return errPercent
	case len(whole) == 3 && (whole != "100" || strings.Trim(decimals, "0") != ""):
		return errPercent
	}
	return nil
}

func isDigits(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
