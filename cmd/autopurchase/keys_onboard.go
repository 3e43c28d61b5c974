package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// onboardSettings are those of keys onboard.
type onboardSettings struct {
	keySettings
	add      bus.AddKey
	limit    int
	answers  string
	redirect string
}

func (o *onboardSettings) bind(s *settings) {
	o.keySettings.bind(s)
	s.text(&o.add.Account, "account", "", "of a key that is not in the pool yet: the buyer account that will authorize it")
	s.text(&o.add.Alipay, "alipay", "none", "of such a key: none | personal | business, what pays without a person", oneOf("none", "personal", "business"))
	s.text(&o.add.Source, "source", "own", "of such a key: own | managed, whose secret it has, the pool's or the relay operator's", oneOf("own", "managed"))
	s.number(&o.limit, "limit", keypool.DefaultLimit, 1, maxProducts, "of such a key: products that it may order")
	s.text(&o.answers, "answer", "", "STEP=passed|waived|open, several with commas between them, with --why: takes these and asks nothing", orEmpty(areAnswers))
	s.text(&o.redirect, "redirect-uri", "", "where 1688 sends the browser after the authorization; the relay's --callback if left out")
}

func newKeysOnboard(term terminal) *cobra.Command {
	var o onboardSettings
	return command(term, &cobra.Command{
		Use:   "onboard APPKEY",
		Short: "Go through the steps of making a key on 1688, until it is ready",
		Long: "Goes through the steps of making an app key on 1688's platform, in its order. What 1688 itself can prove is checked, with the\n" +
			"relay and the worker running; the rest is asked, and remembered with who said so. A key that is not in the pool yet is added,\n" +
			"and takes no order before every step is passed, or waived by a named person. What there is to click follows a public guide\n" +
			"that was not tried; the words on the platform's pages are not known. It may be stopped and gone on with at any time.\n" +
			"With --answer or --json nothing is asked. Exit 1 while something is open.\n\nThe steps: " + strings.Join(worker.StepNames(), ", "),
		Example: "  autopurchase keys onboard 1000001 --account buyer-1 --by li\n" +
			"  autopurchase keys onboard 1000001 --answer alipay=waived --why 'a person pays' --by li --json",
		Args: cobra.ExactArgs(1),
	}, o.bind, func(cmd *cobra.Command, args []string) error {
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			i := &interview{ctx: cmd.Context(), bus: b, set: &o, appKey: args[0], term: term, in: bufio.NewReader(term.in), out: term.out}
			if o.answers != "" || o.json {
				return o.script(i)
			}
			return i.run()
		})
	})
}

// areAnswers checks the form of --answer; whoever answers checks the rest.
func areAnswers(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		step, verdict, _ := strings.Cut(part, "=")
		if _, known := worker.StepNamed(step); !known {
			return fmt.Errorf("%q is no step: %s", step, strings.Join(worker.StepNames(), ", "))
		}
		if err := oneOf("passed", "waived", "open")(verdict); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return nil
}

// script takes the answers that were given, and shows how the key stands then.
func (o *onboardSettings) script(i *interview) error {
	var stands bus.Onboarding
	var err error
	if o.answers == "" {
		stands, err = i.look()
	}
	for part := range strings.SplitSeq(o.answers, ",") {
		if step, verdict, given := strings.Cut(part, "="); given && err == nil {
			stands, err = i.say(step, worker.StepVerdict(verdict), o.why)
		}
	}
	if err != nil {
		return err
	}
	if o.json {
		err = json.NewEncoder(i.out).Encode(stands)
	} else {
		err = showOnboarding(i.out, stands)
	}
	if err == nil && !stands.Done {
		return errSaid
	}
	return err
}

// showOnboarding prints the checklist as a table.
func showOnboarding(out io.Writer, o bus.Onboarding) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(table, "key %s of pool %s is %s\n\n", o.Key.AppKey, o.Key.Pool, o.Key.State)
	fmt.Fprintln(table, "\tSTEP\tHOW IT STANDS\tBY\tWHY")
	for n, s := range o.Steps {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", n+1, s.Step, s.Verdict, s.By, oneLine(s.Why))
	}
	return table.Flush()
}

// unknownKey says whether an administrator was told that the pool does not have the key.
func unknownKey(err error) bool {
	refusal, ok := errors.AsType[*bus.AdminError](err)
	return ok && refusal.Code == string(worker.DenyUnknownKey)
}
