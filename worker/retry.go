package worker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Retry is a person's wish that what was not bought is asked for again.
type Retry struct {
	Tenant    string
	RequestID string
	Force     bool      // also what asking again does not change, as far as is known
	Deadline  time.Time // the new request's; zero keeps the old one
	DryRun    bool      // only says what would happen
	By        string
	Why       string
}

// Retried says under which id it is asked for again.
type Retried struct {
	Tenant    string
	RequestID string
	RetryID   string
	New       bool    // asked now; else it was before
	Lines     int     // of the request under RetryID
	Outcome   Outcome // of the one that was asked for before; "" while it is undecided
}

// Again asks for a request under its new id.
type Again interface {
	// AskAgain stores the request and says whether another one is stored under its id.
	AskAgain(ctx context.Context, request Request, origin string, r Retry) (taken bool, err error)
}

// Retrier asks again for what ended without being bought, under an id derived from the old one: id.r1, then id.r2, each of the
// one before. So what was bought in the meantime is never asked for twice. It is safe for concurrent use.
type Retrier struct {
	Record Record
	Again  Again
	Marks  Marks
}

// Retry asks again for the last of the requests that come of this one. While that is undecided, or once it is placed, nothing is
// asked for, and its id is the answer. Of what was bought in part only the failed lines are.
//
// Errors: an *Invalid that names the field and says why it is not asked for again; those of the ports, after which it may be repeated.
func (r *Retrier) Retry(ctx context.Context, ask Retry) (Retried, error) {
	answer := Retried{Tenant: ask.Tenant, RequestID: ask.RequestID}
	if err := r.whole(ctx, ask); err != nil {
		return answer, err
	}
	last, n, err := r.last(ctx, ask)
	if err != nil {
		return answer, err
	}
	result, decided, err := r.Record.Result(ctx, ask.Tenant, last.ID)
	if err != nil {
		return answer, err
	}
	if last.ID != ask.RequestID && (!decided || result.Outcome == OutcomePlaced) {
		answer.RetryID, answer.Lines, answer.Outcome = last.ID, len(last.Lines), result.Outcome
		return answer, nil
	}
	if err := ask.objection(last.ID, result, decided); err != nil {
		return answer, err
	}
	again, err := ask.request(last.Request, result, n+1)
	if err != nil {
		return answer, err
	}
	answer.RetryID, answer.Lines, answer.New = again.ID, len(again.Lines), true
	if ask.DryRun {
		return answer, nil
	}
	taken, err := r.Again.AskAgain(ctx, again, last.ID, ask)
	answer.New = !taken
	return answer, err
}

// whole refuses a request that was made of others: each of those is asked for again by its own id, and so once.
func (r *Retrier) whole(ctx context.Context, ask Retry) error {
	if !strings.HasPrefix(ask.RequestID, mergedPrefix) {
		return nil
	}
	mark, _, err := r.Marks.Marked(ctx, ask.Tenant, ask.RequestID)
	if err == nil && len(mark.Members) > 0 {
		err = ask.wrong("request_id", "was made of others: ask again for "+strings.Join(mark.Members, ", "))
	}
	return err
}

// last finds the last of the requests that come of this one, and which retry it is.
func (r *Retrier) last(ctx context.Context, ask Retry) (Asked, int, error) {
	last, found, err := r.Record.Asked(ctx, ask.Tenant, ask.RequestID)
	if err == nil && !found {
		err = ask.wrong("request_id", "names no request that is on record for tenant "+ask.Tenant)
	}
	if err != nil {
		return last, 0, err
	}
	root, n := last.root()
	for {
		next, found, err := r.Record.Asked(ctx, ask.Tenant, retryID(root, n+1))
		switch {
		case err != nil || !found:
			return last, n, err
		case next.Origin != last.ID:
			return last, n, ask.wrong("request_id", "cannot be asked for again: "+next.ID+" is the id of another request")
		}
		last, n = next, n+1
	}
}

// root is the id of the request that a retry comes of in the end, and which retry it is.
func (a Asked) root() (string, int) {
	if at := strings.LastIndex(a.ID, ".r"); a.Origin != "" && at > 0 {
		if n, err := strconv.Atoi(a.ID[at+2:]); err == nil {
			return a.ID[:at], n
		}
	}
	return a.ID, 0
}

func retryID(root string, n int) string { return root + ".r" + strconv.Itoa(n) }

func (r Retry) wrong(field, reason string) error {
	return &Invalid{RequestID: r.RequestID, Field: field, Reason: reason}
}

// objection says why a request is not asked for again, nil if it may be.
func (r Retry) objection(id string, result Result, decided bool) error {
	switch {
	case !decided:
		return r.wrong("request_id", "has no result yet")
	case result.Outcome == OutcomePlaced:
		return r.wrong("request_id", "is placed: nothing is left to ask for")
	case result.Outcome == OutcomeUnknown && result.MergedInto != "":
		return r.wrong("request_id", "is unknown, and so may have been bought: resolve "+result.MergedInto+" first")
	case result.Outcome == OutcomeUnknown:
		return r.wrong("request_id", "is unknown, and so may have been bought: resolve "+id+" first")
	case len(result.Failed) == 0:
		return r.wrong("request_id", "broke a rule: publish it anew, as it should be: "+result.Reason)
	}
	for _, failed := range result.Failed {
		if !Dispose(failed.Code).Again && !r.Force {
			return r.wrong("force", fmt.Sprintf("must say so: line %d of %s ended as %s, which asking again does not change", failed.Line, id, failed.Code))
		}
	}
	return nil
}

// request is what is asked for again: the lines that were not bought, for no more than is left to spend.
func (r Retry) request(old Request, result Result, n int) (Request, error) {
	root, _ := Asked{Request: old, Origin: "any"}.root()
	if n == 1 {
		root = old.ID
	}
	again := old
	again.ID, again.Lines, again.Choice = retryID(root, n), nil, nil
	again.Merge = false // it may have been another's line that failed
	again.HoldFor = 0   // the time to take it back was given
	if CheckID(again.ID) != nil {
		return again, r.wrong("request_id", fmt.Sprintf("is too long: %s would have more than %d characters", again.ID, MaxID))
	}
	for i, line := range old.Lines {
		if slices.ContainsFunc(result.Failed, func(f FailedLine) bool { return f.Line == i }) {
			again.Lines = append(again.Lines, line)
		}
	}
	if !r.Deadline.IsZero() {
		again.Deadline = r.Deadline
	}
	if !again.Deadline.IsZero() && time.Now().After(again.Deadline) {
		return again, r.wrong("deadline", "has passed: give a new one")
	}
	for _, order := range result.Orders {
		again.MaxTotal -= order.Total
	}
	if old.MaxTotal == 0 {
		again.MaxTotal = 0
	} else if again.MaxTotal <= 0 {
		return again, r.wrong("max_total", "is used up by what was bought")
	}
	return again, nil
}
