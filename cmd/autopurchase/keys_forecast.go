package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// newKeysForecast shows until when a pool's keys last.
func newKeysForecast(term terminal) *cobra.Command {
	var k keysSettings
	var lead, cover time.Duration
	return command(term, &cobra.Command{
		Use:   "forecast",
		Short: "Show how fast the pool's keys are used up, when they end, and how many to prepare by when",
		Long: "Measures what was ordered over the last hour, 24 hours and 7 days. When the keys end is reckoned by the highest of the three,\n" +
			"so that you are told early and not late; how many new ones are needed by the higher one of the day's and the week's, since\n" +
			"an hour says nothing about many days. How long it takes to prepare a key is your own estimate: --lead.",
		Example: "  autopurchase keys forecast\n  autopurchase keys forecast --lead 120h --json",
	}, func(s *settings) {
		k.bind(s)
		s.duration(&lead, "lead", worker.DefaultLead, 0, "how long it takes to prepare a new key, in hours; the default is an assumption")
		s.duration(&cover, "cover", worker.DefaultCover, 0, "how long the pool is to last beyond that, in hours")
	}, func(cmd *cobra.Command, _ []string) error {
		q := bus.AskForecast{Pool: k.pool, LeadHours: hours(lead), CoverHours: hours(cover)}
		return ask(cmd.Context(), &k, term.out, bus.KeysForecast, q, showForecast)
	})
}

// hours rounds up: a key is rather prepared too early.
func hours(d time.Duration) *int {
	n := int((d + time.Hour - 1) / time.Hour)
	return &n
}

func showForecast(out io.Writer, f worker.Forecast) error {
	text := fmt.Sprintf("pool %s: %d products left, %s\n", f.Pool, f.Left, usedUp(f.UsedUp))
	for _, r := range f.Rates {
		basis := ""
		if r.Over == f.Basis {
			basis = "   what is said of the end goes by this one, the highest"
		}
		text += fmt.Sprintf("  over %-3s %8s an hour, %d products%s\n", r.Over, r.PerHour, r.Products, basis)
	}
	for _, a := range f.Active {
		text += fmt.Sprintf("  key %s is active: %d products left, %s\n", a.AppKey, a.Left, usedUp(a.UsedUp))
	}
	text += fmt.Sprintf("  keys that wait for their turn: %d\n", f.Ready)
	p := f.Prepare
	if p.Keys == 0 {
		text += fmt.Sprintf("no new key is needed for %d hours", p.LeadHours+p.CoverHours)
	} else {
		text += fmt.Sprintf("prepare %d keys of %d products by %s: begin by %s", p.Keys, p.Limit, minute(p.ReadyBy), minute(p.StartBy))
	}
	text += fmt.Sprintf(" (over %s; preparing a key is taken to take %d hours, and the pool to last for %d more)\n", p.Basis, p.LeadHours, p.CoverHours)
	_, err := io.WriteString(out, text)
	return err
}

func usedUp(at time.Time) string {
	if at.IsZero() {
		return "no end in sight"
	}
	return "used up " + minute(at)
}

func minute(at time.Time) string { return at.Local().Format("2006-01-02 15:04") }
