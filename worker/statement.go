package worker

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// Row is one line of a statement: an order that counts on the key, or something that was done to the key.
type Row struct {
	At         time.Time `json:"at"`   // by the ledger's clock: when the order's request was decided, or when it was done
	Kind       RowKind   `json:"kind"` // RowOrder, RowCorrection, RowEarlier, or the kind of the pool event
	Tenant     string    `json:"tenant,omitempty"`
	RequestID  string    `json:"request_id,omitempty"`
	OutOrderID string    `json:"out_order_id,omitempty"`
	OrderIDs   []string  `json:"order_ids,omitempty"`
	AlsoOn     []string  `json:"also_on,omitempty"` // other keys on which the order counts too
	Products   int64     `json:"products"`          // that count from here on
	Cleared    int64     `json:"cleared"`           // that count no longer
	Count      int64     `json:"count"`             // what counts after this row
	KeyThen
	By  string `json:"by,omitempty"`
	Why string `json:"why,omitempty"`
}

// KeyThen is how a key was after something was done to it, and empty in rows of orders.
type KeyThen struct {
	Limit   int64  `json:"limit,omitempty"`
	State   string `json:"state,omitempty"`
	Version int64  `json:"version,omitempty"`
	Account string `json:"account,omitempty"`
	Alipay  string `json:"alipay,omitempty"`
	Source  string `json:"source,omitempty"`
	Print   string `json:"fingerprint,omitempty"` // of the secret that was stored
	Step    string `json:"step,omitempty"`        // of its onboarding, which was passed, waived or opened again
	Verdict string `json:"verdict,omitempty"`
}

// RowKind is what a row of a statement is about.
type RowKind string

// The kinds of rows that are no pool events.
const (
	RowOrder      RowKind = "order"      // a result counted it
	RowCorrection RowKind = "correction" // a later result of the same request counts it differently
	RowEarlier    RowKind = "earlier"    // was cleared by resets, and is not on record any more
)

// Statement is what the count of one key is made of. Count of the last row is Opening and the rows' Products less their Cleared.
type Statement struct {
	Pool    string
	AppKey  string
	Opening int64 // counted before the first row
	Rows    []Row // in order of time; a reset stands behind the orders that it cleared, even if their request was decided later
	Closing int64 // counted after the last row
	Used    int64 // all that counts on record, whatever period the rows are of
}

// StatementOf makes the statement of a key out of the pool's journal and the results, both in the order in which they are on
// record; those of others may be among them. It counts as a rebuild of the pool does. It keeps the rows of that one key, about
// 500 bytes each, and reads over the rest; with a limit of 1000 products a key has at most 1000 orders between two resets. The
// first error of the record ends it. Renewals of tokens are left out: a relay makes several a day, and they change no count.
func StatementOf(pool, appKey string, events iter.Seq2[PoolEvent, error], results iter.Seq2[Result, error]) (Statement, error) {
	s := Statement{Pool: pool, AppKey: appKey}
	for event, err := range events {
		if err != nil {
			return Statement{}, err
		}
		if event.AppKey == appKey && event.Kind != EventTokens {
			s.Rows = append(s.Rows, eventRow(event))
		}
	}
	var tally Tally
	for result, err := range results {
		if err != nil {
			return Statement{}, err
		}
		for _, b := range tally.Take(result) {
			if b.AppKey == appKey {
				s.Rows = append(s.Rows, bookingRow(result, b))
			}
		}
	}
	s.sort()
	s.run()
	return s, nil
}

func eventRow(e PoolEvent) Row {
	then := KeyThen{
		Limit: e.Limit, State: e.State, Version: e.Version, Account: e.Account, Alipay: e.Alipay, Source: e.Source,
		Print: e.Print, Step: e.Step, Verdict: e.Verdict,
	}
	return Row{At: e.At, Kind: RowKind(e.Kind), Cleared: e.Cleared, KeyThen: then, By: e.By, Why: e.Why}
}

func bookingRow(r Result, b Booking) Row {
	row := Row{
		At: r.DecidedAt, Kind: RowOrder, Tenant: r.Tenant, RequestID: r.RequestID, OutOrderID: b.OutOrderID, OrderIDs: b.OrderIDs,
		AlsoOn: b.AlsoOn, Products: b.Products,
	}
	if b.Products < 0 {
		row.Kind, row.Products, row.Cleared = RowCorrection, 0, -b.Products
	}
	return row
}

// sort brings the rows into order of time. Of one moment, an order comes before what was done to the key, which may be its
// consequence; else they stay as they are on record.
func (s *Statement) sort() {
	slices.SortStableFunc(s.Rows, func(a, b Row) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.rank(), b.rank()))
	})
}

func (r Row) rank() int {
	switch r.Kind {
	case RowOrder, RowCorrection:
		return 0
	}
	return 1
}

// run fills in the running count, and lets what clears more than is counted so far wait until the orders are counted that it
// was about: a request with several orders is decided by its last one.
func (s *Statement) run() {
	if missing := s.missing(); missing > 0 {
		s.Rows = slices.Insert(s.Rows, 0, Row{At: s.Rows[0].At, Kind: RowEarlier, Products: missing})
	}
	rows := make([]Row, 0, len(s.Rows))
	var early []Row
	add := func(row Row) {
		s.Closing += row.Products - row.Cleared
		row.Count = s.Closing
		rows = append(rows, row)
	}
	for _, row := range s.Rows {
		if row.Cleared > s.Closing+row.Products {
			early = append(early, row)
			continue
		}
		add(row)
		for len(early) > 0 && early[0].Cleared <= s.Closing {
			add(early[0])
			early = early[1:]
		}
	}
	s.Rows, s.Used = rows, s.Closing
}

// missing is how much more was cleared than is on record.
func (s *Statement) missing() (products int64) {
	for _, row := range s.Rows {
		products += row.Cleared - row.Products
	}
	return products
}

// Between cuts the statement to the rows from a time on (zero: the beginning) and before another (zero: the end).
func (s Statement) Between(from, to time.Time) Statement {
	first, end := 0, len(s.Rows)
	var latest time.Time
	for i, row := range s.Rows {
		if row.At.After(latest) {
			latest = row.At // a reset that waited belongs to the orders before it
		}
		if latest.Before(from) {
			first = i + 1
		}
		if !to.IsZero() && !latest.Before(to) {
			end = i
			break
		}
	}
	return s.slice(min(first, end), end)
}

// slice is the statement of some of its rows.
func (s Statement) slice(first, end int) Statement {
	opening := s.Opening
	if first > 0 {
		opening = s.Rows[first-1].Count
	}
	s.Rows, s.Opening, s.Closing = s.Rows[first:end], opening, opening
	if len(s.Rows) > 0 {
		s.Closing = s.Rows[len(s.Rows)-1].Count
	}
	return s
}

// Page is the statement of at most so many rows (1 or more) after the first ones, and whether more follow.
func (s Statement) Page(after, most int) (page Statement, more bool) {
	after = min(after, len(s.Rows))
	end := min(after+most, len(s.Rows))
	return s.slice(after, end), end < len(s.Rows)
}
