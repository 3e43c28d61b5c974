package schemas

import (
	"autopurchase/worker"
)

const (
	maxReason    = 500
	maxAppKey    = 64
	maxOrderID   = 64
	maxAlsoOn    = 10_000
	maxReference = 320 // characters: tenant, encoded request id and number
	maxOrders    = 10 * MaxLines
)

// DecodeResult reads a result. The tenant is in the subject and stays "", and Aside false. Errors are *worker.Invalid. It is
// safe for concurrent use and keeps nothing of body.
func DecodeResult(body []byte) (worker.Result, error) {
	var result worker.Result
	if invalid := decode(body, resultTable, &result); invalid != nil {
		invalid.RequestID = findID(body)
		return worker.Result{}, invalid
	}
	return result, nil
}

var resultTable = table[worker.Result]{
	{"request_id", required, func(r *reader, s *worker.Result) fault { return r.matching(&s.RequestID, worker.CheckID) }},
	{"outcome", required, func(r *reader, s *worker.Result) fault { return oneOf(r, &s.Outcome, outcomes) }},
	{"code", required, func(r *reader, s *worker.Result) fault { return oneOf(r, &s.Code, codes) }},
	{"reason", optional, func(r *reader, s *worker.Result) fault { return r.visible(&s.Reason, maxReason) }},
	{"orders", required, func(r *reader, s *worker.Result) fault {
		return readList(r, &s.Orders, maxOrders, orderTable.read)
	}},
	{"failed_lines", optional, func(r *reader, s *worker.Result) fault {
		return readList(r, &s.Failed, MaxLines, failedTable.read)
	}},
	{"unknown", optional, func(r *reader, s *worker.Result) fault {
		return readList(r, &s.Unknown, MaxLines, unknownTable.read)
	}},
	{"app_key", optional, func(r *reader, s *worker.Result) fault { return r.visible(&s.AppKey, maxAppKey) }},
	{"products", required, func(r *reader, s *worker.Result) fault { return whole(r, &s.Products, 0, maxSafe) }},
	{"attempt", required, func(r *reader, s *worker.Result) fault { return whole(r, &s.Attempt, 0, maxSafe) }},
	{"pay", optional, func(r *reader, s *worker.Result) fault { return oneOf(r, &s.Pay, []string{worker.PayAuto}) }},
	{"decided_at", required, func(r *reader, s *worker.Result) fault { return r.moment(&s.DecidedAt) }},
	{"unbound", optional, func(r *reader, s *worker.Result) fault { return r.truth(&s.Unbound) }},
	{"merged_into", optional, func(r *reader, s *worker.Result) fault { return r.matching(&s.MergedInto, worker.CheckID) }},
	{"merged_orders", optional, func(r *reader, s *worker.Result) fault {
		return readList(r, &s.MergedOrders, maxOrders, orderTable.read)
	}},
}

var orderTable = table[worker.ResultOrder]{
	{"order_id", required, func(r *reader, o *worker.ResultOrder) fault { return r.filled(&o.OrderID, maxOrderID) }},
	{"out_order_id", required, func(r *reader, o *worker.ResultOrder) fault { return r.filled(&o.OutOrderID, maxReference) }},
	{"app_key", required, func(r *reader, o *worker.ResultOrder) fault { return r.filled(&o.AppKey, maxAppKey) }},
	{"also_on", optional, func(r *reader, o *worker.ResultOrder) fault { return readAppKeys(r, &o.AlsoOn) }},
	{"products", required, func(r *reader, o *worker.ResultOrder) fault { return whole(r, &o.Products, 0, maxSafe) }},
	{"total", optional, func(r *reader, o *worker.ResultOrder) fault { return r.yuan(&o.Total) }},
	{"postage", optional, func(r *reader, o *worker.ResultOrder) fault { return r.yuan(&o.Postage) }},
	{"discount", optional, func(r *reader, o *worker.ResultOrder) fault { return r.yuan(&o.Discount) }},
	{"lines", required, func(r *reader, o *worker.ResultOrder) fault { return readLineNumbers(r, &o.Lines) }},
	{"alternatives", optional, func(r *reader, o *worker.ResultOrder) fault { return readAlternatives(r, &o.Alternatives) }},
	{"shares", optional, func(r *reader, o *worker.ResultOrder) fault {
		return readList(r, &o.Shares, MaxLines, shareTable.read)
	}},
}

var shareTable = table[worker.Share]{
	{"line", required, func(r *reader, s *worker.Share) fault { return readLineNumber(r, &s.Line) }},
	{"goods", optional, func(r *reader, s *worker.Share) fault { return r.yuan(&s.Goods) }},
	{"postage", optional, func(r *reader, s *worker.Share) fault { return r.yuan(&s.Postage) }},
	{"discount", optional, func(r *reader, s *worker.Share) fault { return r.yuan(&s.Discount) }},
}

var failedTable = table[worker.FailedLine]{
	{"line", required, func(r *reader, f *worker.FailedLine) fault { return readLineNumber(r, &f.Line) }},
	{"offer_id", required, func(r *reader, f *worker.FailedLine) fault { return r.matching(&f.OfferID, checkOfferID) }},
	{"spec_id", optional, func(r *reader, f *worker.FailedLine) fault { return r.matching(&f.SpecID, checkSpecID) }},
	{"alternative", optional, func(r *reader, f *worker.FailedLine) fault {
		return whole(r, &f.Alternative, 1, worker.MaxAlternatives)
	}},
	{"code", required, func(r *reader, f *worker.FailedLine) fault { return oneOf(r, &f.Code, codes) }},
	{"reason", optional, func(r *reader, f *worker.FailedLine) fault { return r.visible(&f.Reason, maxReason) }},
	{"tried", optional, func(r *reader, f *worker.FailedLine) fault {
		return readList(r, &f.Tried, worker.MaxAlternatives, func(r *reader, code *worker.Code) fault { return oneOf(r, code, codes) })
	}},
}

var chosenTable = table[worker.Chosen]{
	{"line", required, func(r *reader, c *worker.Chosen) fault { return readLineNumber(r, &c.Line) }},
	{"alternative", required, func(r *reader, c *worker.Chosen) fault { return whole(r, &c.Alternative, 1, worker.MaxAlternatives) }},
	{"offer_id", required, func(r *reader, c *worker.Chosen) fault { return r.matching(&c.OfferID, checkOfferID) }},
	{"spec_id", optional, func(r *reader, c *worker.Chosen) fault { return r.matching(&c.SpecID, checkSpecID) }},
}

var unknownTable = table[worker.OpenOrder]{
	{"out_order_id", required, func(r *reader, o *worker.OpenOrder) fault { return r.filled(&o.OutOrderID, maxReference) }},
	{"app_key", required, func(r *reader, o *worker.OpenOrder) fault { return r.visible(&o.AppKey, maxAppKey) }},
	{"also_on", optional, func(r *reader, o *worker.OpenOrder) fault { return readAppKeys(r, &o.AlsoOn) }},
	{"products", required, func(r *reader, o *worker.OpenOrder) fault { return whole(r, &o.Products, 0, maxSafe) }},
	{"lines", required, func(r *reader, o *worker.OpenOrder) fault { return readLineNumbers(r, &o.Lines) }},
	{"alternatives", optional, func(r *reader, o *worker.OpenOrder) fault { return readAlternatives(r, &o.Alternatives) }},
}

var (
	codes    = worker.Codes()
	outcomes = []worker.Outcome{
		worker.OutcomePlaced, worker.OutcomePartial, worker.OutcomeRefused, worker.OutcomeCancelled, worker.OutcomeUnknown,
	}
)

func readAppKeys(r *reader, into *[]string) fault {
	return readList(r, into, maxAlsoOn, func(r *reader, appKey *string) fault { return r.filled(appKey, maxAppKey) })
}

func readLineNumbers(r *reader, into *[]int) fault {
	return readList(r, into, MaxLines, readLineNumber)
}

func readAlternatives(r *reader, into *[]worker.Chosen) fault {
	return readList(r, into, MaxLines, chosenTable.read)
}

func readLineNumber(r *reader, into *int) fault { return whole(r, into, 0, MaxLines-1) }

// AppendResult writes a result. orders is always there; other lists, texts and money that are empty or 0 are left out. Reasons
// are 1688's words: control and invisible characters become blanks, and they are cut at 500 characters.
func AppendResult(dst []byte, s worker.Result) []byte {
	w := writer(dst).open('{').
		text("request_id", s.RequestID).
		text("outcome", string(s.Outcome)).
		text("code", string(s.Code)).
		words("reason", s.Reason, maxReason)
	w = writeList(w, "orders", s.Orders, appendOrder)
	if len(s.Failed) > 0 {
		w = writeList(w, "failed_lines", s.Failed, appendFailed)
	}
	if len(s.Unknown) > 0 {
		w = writeList(w, "unknown", s.Unknown, appendUnknown)
	}
	w = w.some("app_key", s.AppKey).
		number("products", s.Products).
		number("attempt", int64(s.Attempt)).
		some("pay", s.Pay).
		moment("decided_at", s.DecidedAt.UTC()).
		truth("unbound", s.Unbound).
		some("merged_into", s.MergedInto)
	if len(s.MergedOrders) > 0 {
		w = writeList(w, "merged_orders", s.MergedOrders, appendOrder)
	}
	return w.close('}').bytes()
}

func appendOrder(w writer, o *worker.ResultOrder) writer {
	w = w.text("order_id", o.OrderID).
		text("out_order_id", o.OutOrderID).
		text("app_key", o.AppKey).
		texts("also_on", o.AlsoOn).
		number("products", o.Products).
		yuan("total", o.Total).
		yuan("postage", o.Postage).
		yuan("discount", o.Discount).
		numbers("lines", o.Lines)
	w = appendAlternatives(w, o.Alternatives)
	if len(o.Shares) > 0 {
		w = writeList(w, "shares", o.Shares, appendShare)
	}
	return w
}

func appendAlternatives(w writer, chosen []worker.Chosen) writer {
	if len(chosen) == 0 {
		return w
	}
	return writeList(w, "alternatives", chosen, appendChosen)
}

func appendChosen(w writer, c *worker.Chosen) writer {
	return w.number("line", int64(c.Line)).
		number("alternative", int64(c.Alternative)).
		text("offer_id", c.OfferID).
		some("spec_id", c.SpecID)
}

func appendShare(w writer, s *worker.Share) writer {
	return w.number("line", int64(s.Line)).
		yuan("goods", s.Goods).
		yuan("postage", s.Postage).
		yuan("discount", s.Discount)
}

func appendFailed(w writer, f *worker.FailedLine) writer {
	w = w.number("line", int64(f.Line)).
		text("offer_id", f.OfferID).
		some("spec_id", f.SpecID)
	if f.Alternative > 0 {
		w = w.number("alternative", int64(f.Alternative))
	}
	w = w.text("code", string(f.Code)).
		words("reason", f.Reason, maxReason)
	tried := make([]string, len(f.Tried))
	for i, code := range f.Tried {
		tried[i] = string(code)
	}
	return w.texts("tried", tried)
}

func appendUnknown(w writer, o *worker.OpenOrder) writer {
	w = w.text("out_order_id", o.OutOrderID).
		text("app_key", o.AppKey).
		texts("also_on", o.AlsoOn).
		number("products", o.Products).
		numbers("lines", o.Lines)
	return appendAlternatives(w, o.Alternatives)
}
