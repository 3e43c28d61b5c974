package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/internal/tracing"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// newPublish publishes request files.
func newPublish(term terminal) *cobra.Command {
	var p publisher
	return command(term, &cobra.Command{
		Use:   "publish FILE|-",
		Short: "Publish purchase requests from a file",
		Long: "Publishes the requests of an NDJSON file (one a line) or of a JSON array, each in the lane of its priority, and waits for the\n" +
			"broker's word on each:\n" +
			"accepted, replay (the same request is stored already) or conflict (its id was used for another one). A bad line is\n" +
			"reported with its number and the others go on. Exit 1 if any was refused.\n" +
			"If the environment has TRACEPARENT, the requests are part of that trace.",
		Example: "  autopurchase publish --tenant acme requests.ndjson\n  autopurchase publish --json - < requests.json",
		Args:    cobra.ExactArgs(1),
	}, func(s *settings) {
		p.nats.bindClient(s)
		s.text(&p.tenant, "tenant", "default", "in whose name to publish", worker.CheckName)
		s.flag(&p.json, "json", "print one JSON object a request")
	}, func(cmd *cobra.Command, args []string) (err error) {
		file, err := openInput(args[0], term.in)
		if err != nil {
			return usage(err)
		}
		defer file.Close()
		p.out, p.err = term.out, term.err
		var undo cleanup
		defer func() { err = joinStop(err, undo.run(stopBudget)) }()
		if p.traces, err = startTraces(cmd.Context(), term, "autopurchase-publish", newLog(term.err, "warn", &undo), &undo); err != nil {
			return err
		}
		return p.publish(tracing.Within(cmd.Context(), term.env), file)
	})
}

// publisher submits requests and tells what became of each.
type publisher struct {
	nats     natsSettings
	tenant   string
	json     bool
	out, err io.Writer
	traces   *tracing.Tracer

	mu      sync.Mutex
	offered []offered // and not told yet
	told    int
	refused int
}

// offered is a request of the file that is on its way.
type offered struct {
	line int
	done func(error) // ends its span
}

// fate is what became of one request of the file.
type fate struct {
	Line      int    `json:"line"`
	RequestID string `json:"request_id,omitempty"`
	Status    string `json:"status"` // accepted, replay, conflict, invalid or failed
	Reason    string `json:"reason,omitempty"`
	Sequence  uint64 `json:"sequence,omitempty"`
}

// invalid is the status of a line that breaks a rule and was not published.
const invalid = "invalid"

func (p *publisher) publish(ctx context.Context, file io.Reader) (err error) {
	b, err := openQueue(ctx, p.nats.config("autopurchase-publish", zerolog.Nop()), p.tenant)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	offer := func(yield func(bus.Submission) bool) {
		for w, err := range readRequests(file) {
			if err == nil {
				err = p.offer(ctx, w, yield)
			} else {
				p.tell(fate{Line: w.line, Status: invalid, Reason: err.Error()})
			}
			if errors.Is(err, errStop) {
				return
			}
		}
	}
	if err := b.SubmitAll(ctx, p.tenant, offer, p.landed); err != nil {
		return err
	}
	if p.refused > 0 {
		fmt.Fprintf(p.err, "%d of %d were refused\n", p.refused, p.told)
		return errSaid
	}
	fmt.Fprintf(p.err, "%d published\n", p.told)
	return nil
}

// errStop says that no more requests are taken.
var errStop = errors.New("stop")

// offer hands a request of the file to the broker, if it can be read.
func (p *publisher) offer(ctx context.Context, w written, yield func(bus.Submission) bool) error {
	request, err := schemas.DecodeRequest(w.body)
	if err != nil {
		wrong, _ := errors.AsType[*worker.Invalid](err)
		p.tell(fate{Line: w.line, RequestID: wrong.RequestID, Status: invalid, Reason: wrong.Error()})
		return nil
	}
	ctx, done := p.traces.Submit(ctx, p.tenant, request.ID)
	p.mu.Lock()
	p.offered = append(p.offered, offered{w.line, done}) // before it is offered: what lands comes in the order offered
	p.mu.Unlock()
	if !yield(bus.Submission{ID: request.ID, Lane: request.Priority, Body: w.body, Context: ctx}) {
		return errStop
	}
	return nil
}

// landed tells what the broker made of the oldest request that was offered and not told yet.
func (p *publisher) landed(o bus.Outcome) {
	p.mu.Lock()
	first := p.offered[0]
	p.offered = p.offered[1:]
	p.mu.Unlock()
	first.done(o.Err)
	f := fate{Line: first.line, RequestID: o.ID, Status: string(o.Receipt.Fate), Sequence: o.Receipt.Sequence}
	switch {
	case o.Err != nil:
		f.Status, f.Reason = "failed", o.Err.Error()
	case o.Receipt.Fate == bus.Conflict:
		f.Reason = "request_id: was used before for a purchase with another meaning"
	}
	p.tell(f)
}

// tell prints a fate: all as JSON, else what is not simply accepted.
func (p *publisher) tell(f fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told++
	if f.Status != string(bus.Accepted) && f.Status != string(bus.Replay) {
		p.refused++
	}
	if p.json {
		_ = json.NewEncoder(p.out).Encode(f)
		return
	}
	line := fmt.Sprintf("line %d: %s %s", f.Line, f.RequestID, f.Status)
	if f.Reason != "" {
		line += ": " + f.Reason
	}
	fmt.Fprintln(p.out, printable(line))
	p.progress()
}

// sayPublishedEvery is after how many requests a line of progress is written, where they are not on the terminal anyway.
const sayPublishedEvery = 1000

func (p *publisher) progress() {
	if p.told%sayPublishedEvery == 0 && !isTerminal(p.out) {
		fmt.Fprintf(p.err, "published: %d\n", p.told)
	}
}
