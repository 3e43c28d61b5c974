package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// bulk are the settings of a command that does the same to one thing or to many, each by a message of its own. Done again, it
// changes nothing more.
type bulk struct {
	nats    natsSettings
	from    string
	dryRun  bool
	yes     bool
	json    bool
	by, why string
	picks   bool // a filter was given
}

func (k *bulk) bind(s *settings) {
	k.nats.bindClient(s)
	s.text(&k.from, "from", "", "file with more of them, one a line; - reads standard input")
	s.flag(&k.dryRun, "dry-run", "change nothing: say what would happen to each, and count")
	s.flag(&k.yes, "yes", "do it to many without asking")
	s.flag(&k.json, "json", "print JSON, one object a line")
	bindAccount(s, &k.by, &k.why)
}

// bindAccount asks for who does something, and why.
func bindAccount(s *settings, by, why *string) {
	s.text(by, "by", "", "who does it, for the record (required)")
	s.text(why, "why", "", "why, for the record")
	s.check(func(terminal) error {
		if *by == "" {
			return errors.New("--by: is required: who does it")
		}
		return nil
	})
}

// named are the things that are named as arguments and in the file, each once, in that order.
func (k *bulk) named(term terminal, args []string) ([]string, error) {
	names := slices.Clone(args)
	if k.from != "" {
		in, done, err := k.open(term)
		if err != nil {
			return nil, usage(fmt.Errorf("--from: %w", err))
		}
		defer done()
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			if name := strings.TrimSpace(lines.Text()); name != "" && !strings.HasPrefix(name, "#") {
				names = append(names, name)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(names, func(name string) bool {
		again := seen[name]
		seen[name] = true
		return again
	}), nil
}

// finder is how such a command finds what it is about.
type finder struct {
	client string                                                              // name of its connection
	check  func(name string) error                                             // what is wrong with a name that was given
	given  func() bool                                                         // whether a filter was
	find   func(ctx context.Context, b *bus.Bus, take func(name string)) error // by the filter
}

// command makes it, with what is done to each.
func (k *bulk) command(term terminal, c *cobra.Command, bind func(*settings), p finder, j job) *cobra.Command {
	c.Args = cobra.ArbitraryArgs
	return command(term, c, bind, func(cmd *cobra.Command, args []string) error {
		names, err := k.picked(cmd.Context(), term, args, p)
		if err != nil {
			return err
		}
		return k.run(cmd.Context(), term, names, j)
	})
}

// picked are those that are named, and those that the filter finds.
func (k *bulk) picked(ctx context.Context, term terminal, args []string, p finder) ([]string, error) {
	names, err := k.named(term, args)
	for _, name := range names {
		if wrong := p.check(name); wrong != nil {
			return nil, usage(wrong)
		}
	}
	if k.picks = p.given(); err != nil || !k.picks {
		return names, err
	}
	err = k.nats.connected(ctx, p.client, func(b *bus.Bus) error {
		return p.find(ctx, b, func(name string) {
			if !slices.Contains(args, name) {
				names = append(names, name)
			}
		})
	})
	return names, err
}

func (k *bulk) open(term terminal) (io.Reader, func(), error) {
	if k.from == "-" {
		return term.in, func() {}, nil
	}
	file, err := os.Open(k.from)
	return file, func() { _ = file.Close() }, err
}

// ending is what became of one of them, or would.
type ending struct {
	done bool   // as it was wished
	what string // in a word or two, to be counted
	text string // one line for people
	body any    // the answer, for machines
}

// failed is that of one whose message was refused or not answered.
func failed(name string, err error) ending {
	return ending{what: "failed", text: err.Error(), body: map[string]string{"name": name, "error": err.Error()}}
}

// job is what is done to each.
type job struct {
	verb string // for people
	do   func(ctx context.Context, b *bus.Bus, name string) ending
}

// run asks whether it is to be done to so many, connects and does it.
func (k *bulk) run(ctx context.Context, term terminal, names []string, j job) error {
	if len(names) == 0 && k.picks {
		fmt.Fprintln(term.err, "none is picked")
		return nil
	}
	if err := k.agreed(term, j.verb, len(names)); err != nil {
		return err
	}
	return k.nats.connected(ctx, "autopurchase-orders", func(b *bus.Bus) error { return k.each(ctx, term, b, names, j) })
}

// each does it to one after the other and tells what became of each. It returns errSaid if one of them is not done.
func (k *bulk) each(ctx context.Context, term terminal, b *bus.Bus, names []string, j job) error {
	counts, undone, bar := map[string]int{}, 0, k.progress(term, j.verb, len(names))
	for i, name := range names {
		if ctx.Err() != nil {
			return fmt.Errorf("%s: stopped after %d of %d: %w", j.verb, i, len(names), context.Cause(ctx))
		}
		f := j.do(ctx, b, name)
		counts[f.what]++
		if !f.done {
			undone++
		}
		if err := k.tell(term.out, name, f); err != nil {
			return err
		}
		bar(i + 1)
	}
	k.sum(term.err, len(names), counts)
	if undone > 0 {
		return errSaid
	}
	return nil
}

// agreed asks a person before many are changed.
func (k *bulk) agreed(term terminal, verb string, many int) error {
	switch {
	case many == 0:
		return usage(errors.New("nothing is named: give arguments, --from or a filter that finds something"))
	case many == 1 || k.dryRun:
		return nil
	}
	return confirm(term, k.yes, fmt.Sprintf("%s %d of them", verb, many))
}

func (k *bulk) progress(term terminal, verb string, many int) func(int) {
	if many < 10 {
		return func(int) {}
	}
	return newProgress(term.err, verb, many).reach
}

func (k *bulk) tell(out io.Writer, name string, f ending) error {
	if k.json {
		return json.NewEncoder(out).Encode(f.body)
	}
	_, err := fmt.Fprintf(out, "%s  %s: %s\n", name, f.what, oneLine(f.text))
	return err
}

// sum counts what became of them, or would.
func (k *bulk) sum(out io.Writer, many int, counts map[string]int) {
	if many == 1 && !k.dryRun {
		return
	}
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[what], what))
	}
	would := ""
	if k.dryRun {
		would = "nothing was changed; it would be: "
	}
	fmt.Fprintf(out, "%s%s\n", would, strings.Join(parts, ", "))
}
