package bus

import (
	"encoding/json"
	"fmt"
	"time"

	"autopurchase/worker"
)

// What may be asked about the books of the pools: they read much of what is on record, so they have more time.
var (
	KeysStatement = Verb[AskStatement, StatementPage]{subject: keysPrefix + "statement", request: "key-statement", reply: "statement", patience: booksTimeout}
	KeysForecast  = Verb[AskForecast, worker.Forecast]{subject: keysPrefix + "forecast", request: "pool-forecast", reply: "forecast", patience: booksTimeout}
)

// booksTimeout bounds the reading of a million results on a small machine many times over.
const booksTimeout = time.Minute

// AskStatement asks for what the count of a key is made of.
type AskStatement struct {
	Pool   string    `json:"pool,omitempty"`
	AppKey string    `json:"app_key"`
	From   time.Time `json:"from,omitzero"` // rows from then on; zero: the beginning
	To     time.Time `json:"to,omitzero"`   // and before then; zero: now
	After  int       `json:"after,omitempty"`
	Most   int       `json:"most,omitempty"` // rows of one answer; 0: as many as an answer takes
}

// StatementPage is a part of a statement that fits into a message. The parts follow each other without a gap if the Closing of
// each is the Opening of the next one; if not, what was decided earlier has come on record in between.
type StatementPage struct {
	Pool    string       `json:"pool"`
	AppKey  string       `json:"app_key"`
	From    time.Time    `json:"from,omitzero"`
	To      time.Time    `json:"to,omitzero"`
	Opening int64        `json:"opening"` // counted before the first row
	Rows    []worker.Row `json:"rows"`
	Closing int64        `json:"closing"` // counted after the last row
	Used    int64        `json:"used"`    // all that counts on record, whatever period was asked for
	// Counted is what the pool itself counts on the key now. It is above Used while orders are counted whose request is not decided
	// yet, and for good if results have been removed from the record.
	Counted int64 `json:"counted"`
	Next    int   `json:"next,omitempty"` // After of the next part; 0: there is none
}

const (
	maxStatementRows  = 1000
	maxStatementBytes = 512 << 10 // of the rows: half of what NATS takes by default
)

// Page makes the answer out of a statement of the period that was asked for.
func (a AskStatement) Page(s worker.Statement, counted int64) StatementPage {
	rows, bytes := 0, 0
	for after := min(a.After, len(s.Rows)); rows < a.Most && after+rows < len(s.Rows); rows++ {
		text, _ := json.Marshal(s.Rows[after+rows]) // has nothing that cannot be written
		if bytes += len(text) + 1; bytes > maxStatementBytes && rows > 0 {
			break
		}
	}
	part, more := s.Page(a.After, rows)
	page := StatementPage{
		Pool: s.Pool, AppKey: s.AppKey, From: a.From, To: a.To, Opening: part.Opening, Rows: append([]worker.Row{}, part.Rows...),
		Closing: part.Closing, Used: s.Used, Counted: counted,
	}
	if more {
		page.Next = a.After + rows
	}
	return page
}

func (a AskStatement) checked() (AskStatement, *worker.Invalid) {
	setDefault(&a.Pool, defaultPool)
	setDefault(&a.Most, maxStatementRows)
	switch {
	case a.After < 0:
		return a, &worker.Invalid{Field: "after", Reason: "must be how many rows were read, from 0"}
	case a.Most < 1 || a.Most > maxStatementRows:
		return a, &worker.Invalid{Field: "most", Reason: fmt.Sprintf("must be 1 to %d rows", maxStatementRows)}
	case !a.To.IsZero() && !a.From.Before(a.To):
		return a, &worker.Invalid{Field: "to", Reason: "must be after from"}
	}
	return a, checkKey(a.Pool, a.AppKey)
}

// AskForecast asks until when a pool's keys last.
type AskForecast struct {
	Pool       string `json:"pool,omitempty"`
	LeadHours  *int   `json:"lead_hours,omitempty"`  // how long it takes to prepare a key; nil: worker.DefaultLead
	CoverHours *int   `json:"cover_hours,omitempty"` // how long the pool is to last beyond that; nil: worker.DefaultCover
}

// maxHours is a year.
const maxHours = 366 * 24

func (a AskForecast) checked() (AskForecast, *worker.Invalid) {
	setDefault(&a.Pool, defaultPool)
	lead, cover := int(worker.DefaultLead/time.Hour), int(worker.DefaultCover/time.Hour)
	setDefault(&a.LeadHours, &lead)
	setDefault(&a.CoverHours, &cover)
	for _, each := range []struct {
		field string
		hours int
	}{{"lead_hours", *a.LeadHours}, {"cover_hours", *a.CoverHours}} {
		if each.hours < 0 || each.hours > maxHours {
			return a, &worker.Invalid{Field: each.field, Reason: fmt.Sprintf("must be 0 to %d hours", maxHours)}
		}
	}
	return a, checkPool(a.Pool)
}

// Outlook is what the forecast is to reckon with.
func (a AskForecast) Outlook() worker.Outlook {
	return worker.Outlook{Lead: time.Duration(*a.LeadHours) * time.Hour, Cover: time.Duration(*a.CoverHours) * time.Hour}
}
