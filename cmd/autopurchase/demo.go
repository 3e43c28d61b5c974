package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// demoSettings are those of the demo.
type demoSettings struct {
	systemSettings
	requests int
	keep     bool
	json     bool
	seed     int
}

// demoTimeout bounds a demo whose requests do not all end.
const demoTimeout = 10 * time.Minute

func newDemo(term terminal) *cobra.Command {
	var set demoSettings
	return command(term, &cobra.Command{
		Use:   "demo",
		Short: "Run the whole job on samples against a simulated 1688, and check it against the simulator's books",
		Long: "Runs everything in one process with a simulator of 1688 on loopback, publishes sample purchase requests (some of which\n" +
			"1688 refuses), waits for every result and compares them with what the simulator says was ordered. Then buyer and sellers\n" +
			"pay for the orders, send and receive them on the simulated website (the first 2000), until all of that is on record here.\n" +
			"Exit 0 only if no order was doubled, none lost, no key over-drawn, nothing paid twice, and every request has its result and\n" +
			"every order its statuses.",
		Example: "  autopurchase demo\n  autopurchase demo --requests 2000 --workers 64 --json\n  autopurchase demo --keep --data ./demo",
	}, func(s *settings) {
		set.bind(s, "folder for all data; a temporary one if left out")
		s.preset("log", "warn")
		s.preset("ack-wait", "5s")  // the simulator shows an order at once, so that a killed worker's
		s.preset("look-for", "10s") // orders need not be looked for as long as the platform's
		s.number(&set.requests, "requests", 450, 1, 1_000_000, "sample requests to publish")
		s.number(&set.seed, "seed", 1688, 0, 1<<31, "of the samples")
		s.flag(&set.keep, "keep", "stay up after the samples; DIR/addresses.json tells other programs where everything is")
		s.flag(&set.json, "json", "print the summary as one JSON object")
	}, func(cmd *cobra.Command, _ []string) error {
		set.index = set.keep
		return runDemo(cmd.Context(), term, set)
	})
}

func runDemo(ctx context.Context, term terminal, set demoSettings) (err error) {
	var undo cleanup
	defer func() { err = joinStop(err, undo.run(stopBudget)) }()
	data, err := openFolder(ctx, set.data, &undo)
	if err != nil {
		return err
	}
	stage, err := newStage(ctx, set, data, term, &undo)
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); stage.system.run(working) }()
	defer func() { stop(); <-done }()

	summary, err := stage.perform(ctx)
	if err != nil {
		return err
	}
	if err := summary.write(term.out, set.json); err != nil {
		return err
	}
	if set.keep {
		fmt.Fprintf(term.err, "staying up: %s/addresses.json says where everything is; end with Ctrl-C\n", data.path)
		fmt.Fprintf(term.err, "dashboard: %s/ (to change something there, log in with the token in %s/%s)\n", stage.system.where.HTTP, data.path, adminTokenFile)
		<-ctx.Done()
	}
	if !summary.right() {
		return errSaid
	}
	return nil
}

// perform publishes the samples, follows their results to the last one and compares both with the simulator's books.
func (s *stage) perform(ctx context.Context) (summary, error) {
	started := time.Now()
	if err := s.publish(ctx); err != nil {
		return summary{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	got, err := s.follow(bounded)
	if err != nil {
		return summary{}, err
	}
	if ctx.Err() != nil && len(got) < len(s.samples) {
		return summary{}, errInterrupted
	}
	sum, err := s.audit(context.WithoutCancel(ctx), got)
	sum.Seconds = time.Since(started).Round(time.Millisecond).Seconds()
	if err != nil {
		return sum, err
	}
	err = s.live(ctx, &sum)
	if err == nil && ctx.Err() != nil && !sum.lived() {
		return summary{}, errInterrupted
	}
	return sum, err
}

// summary is what a demo ends with.
type summary struct {
	Requests     int          `json:"requests"`
	Results      int          `json:"results"`
	Placed       int          `json:"placed"`
	Partial      int          `json:"partial"`
	Refused      int          `json:"refused"`
	Cancelled    int          `json:"cancelled"`
	Unknown      int          `json:"unknown"`
	OrdersAt1688 int          `json:"orders_at_1688"`
	Duplicates   int          `json:"duplicates"`
	Lost         int          `json:"lost"`
	OverDrawn    int64        `json:"over_drawn"`
	Products     int64        `json:"products"`
	Rotations    int          `json:"rotations"`
	Paid         int          `json:"paid"`       // orders of which that is on record
	Shipped      int          `json:"shipped"`    // the same
	Received     int          `json:"received"`   // the same
	PaidTwice    int          `json:"paid_twice"` // payments too many, by the simulator's own books
	Seconds      float64      `json:"seconds"`
	Keys         []keySummary `json:"keys"`

	lives int // orders that were paid for, sent and received at 1688
}

type keySummary struct {
	AppKey string `json:"app_key"`
	Limit  int64  `json:"limit"`
	Used   int64  `json:"used"`
	Held   int64  `json:"held"`
	State  string `json:"state"`
}

// right says whether the promise was kept.
func (s summary) right() bool {
	return s.Duplicates == 0 && s.Lost == 0 && s.OverDrawn == 0 && s.Results == s.Requests && s.PaidTwice == 0 && s.lived()
}

// lived says whether the whole life of the orders is on record.
func (s summary) lived() bool {
	return s.Paid == s.lives && s.Shipped == s.lives && s.Received == s.lives
}

func (s summary) write(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(s)
	}
	verdict := "every request has its result, no order was doubled or lost, no key over-drawn, nothing paid twice, no status lost"
	if !s.right() {
		verdict = "THE BOOKS ARE WRONG: see duplicates, lost, over_drawn, results, paid_twice, paid, shipped and received above"
	}
	_, err := fmt.Fprintf(out, `
requests   %6d   results %d in %.1f s
  placed   %6d   all lines bought
  partial  %6d   some lines bought
  refused  %6d   by 1688, with a reason each
  cancelled%6d
  unknown  %6d   a person must look
at 1688    %6d   orders, %d products (by the simulator's own books)
  doubled  %6d
  lost     %6d
  over     %6d   products beyond a key's limit
rotations  %6d
life       %6d   orders paid, %d shipped, %d received, as 1688 told; %d paid twice
%s
%s
`, s.Requests, s.Results, s.Seconds, s.Placed, s.Partial, s.Refused, s.Cancelled, s.Unknown, s.OrdersAt1688, s.Products,
		s.Duplicates, s.Lost, s.OverDrawn, s.Rotations, s.Paid, s.Shipped, s.Received, s.PaidTwice, keyTable(s.Keys), verdict)
	return err
}

func keyTable(keys []keySummary) string {
	text := ""
	for _, k := range keys {
		text += fmt.Sprintf("  key %s %-7s %4d of %d used, %d held\n", k.AppKey, k.State, k.Used, k.Limit, k.Held)
	}
	return text
}

// joinStop reports what failed while stopping only if nothing failed before: the first failure is the one to read.
func joinStop(err, stopping error) error {
	if err != nil {
		return err
	}
	return stopping
}
