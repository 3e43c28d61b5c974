package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"autopurchase/worker"
)

// showQueue writes one screen: what is going on, what to do, and the figures.
func showQueue(out io.Writer, s worker.QueueStatus) error {
	var text strings.Builder
	what, todo := s.Say()
	fmt.Fprintln(&text, printable(what))
	if todo != "" {
		fmt.Fprintln(&text, "to do:", printable(todo))
	}
	fmt.Fprintf(&text, "\nunfinished %s   in work %s   oldest %s   in %s/s   finished %s/s\n", asked(s, worker.UnaskedNATS, s.Depth),
		asked(s, worker.UnaskedNATS, s.InFlight), asked(s, worker.UnaskedNATS, age(s)), asked(s, worker.UnaskedNATS, decimal(s.RateIn)), asked(s, worker.UnaskedNATS, decimal(s.RateOut)))
	fmt.Fprintf(&text, "workers %d   relays %d   products left %s   parked for a person %s   dead letters %s   payments that want a person %s\n", s.Workers, s.Relays,
		asked(s, worker.UnaskedRedis, s.ProductsLeft), asked(s, worker.UnaskedNATS, s.Unknown), asked(s, worker.UnaskedNATS, s.Dead), asked(s, worker.UnaskedNATS, s.Unpaid))
	if lanes := byLane(s.Lanes); lanes != "" {
		fmt.Fprintln(&text, "waiting by priority:", lanes)
	}
	if s.Held > 0 {
		fmt.Fprintf(&text, "held until their time %d%s\n", s.Held, firstHeld(s))
	}
	if stopped := s.PayStopped; stopped != nil {
		fmt.Fprintf(&text, "payments are stopped by %s since %s: %s\n", printable(stopped.By), stopped.At.Local().Format(time.DateTime), oneLine(stopped.Why))
	}
	table := tabwriter.NewWriter(&text, 0, 4, 2, ' ', 0)
	poolRows(table, s.Pools)
	tenantRows(table, s.Tenants)
	workerRows(table, s)
	_ = table.Flush() // into memory
	if len(s.Unasked) > 0 {
		fmt.Fprintf(&text, "\nnot in reach of who answers: %s\n", strings.Join(s.Unasked, ", "))
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// firstHeld says when the time of the first request comes that is held, if that is known.
func firstHeld(s worker.QueueStatus) string {
	if s.HeldUntil.IsZero() {
		return ""
	}
	return ", the first until " + s.HeldUntil.Local().Format(time.DateTime)
}

// byLane says how much waits in each lane; "" if all does in the normal one.
func byLane(lanes []worker.LaneStatus) string {
	var said []string
	apart := false
	for _, l := range lanes {
		said = append(said, fmt.Sprintf("%s %d", l.Lane, l.Waiting))
		apart = apart || l.Waiting > 0 && l.Lane != worker.LaneNormal
	}
	if !apart {
		return ""
	}
	return strings.Join(said, ", ")
}

// asked shows a figure, or that it could not be asked for.
func asked(s worker.QueueStatus, store string, figure any) string {
	if slices.Contains(s.Unasked, store) {
		return "?"
	}
	return fmt.Sprint(figure)
}

func age(s worker.QueueStatus) string { return (time.Duration(s.OldestSeconds) * time.Second).String() }

func decimal(perSecond float64) string { return fmt.Sprintf("%.2f", perSecond) }

func poolRows(out io.Writer, pools []worker.PoolStatus) {
	if len(pools) == 0 {
		return
	}
	fmt.Fprintln(out, "\nPOOL\tLEFT\tHELD\tACTIVE\tREADY\tSPENT\tBENCHED\tSTOPPED\tDISABLED\tONBOARDING\tEND")
	for _, p := range pools {
		fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", p.Pool, p.ProductsLeft, p.Held, p.Keys.Active, p.Keys.Ready, p.Keys.Spent,
			p.Keys.Benched, p.Keys.Stopped, p.Keys.Disabled, p.Keys.Onboarding, usedUp(p.UsedUpAt))
	}
}

func tenantRows(out io.Writer, tenants []worker.TenantStatus) {
	if len(tenants) == 0 {
		return
	}
	fmt.Fprintln(out, "\nTENANT\tWAITING")
	for _, t := range tenants {
		name := t.Tenant
		if name == worker.OtherTenants {
			name = "(others)"
		}
		fmt.Fprintf(out, "%s\t%d\n", name, t.Waiting)
	}
}

func workerRows(out io.Writer, s worker.QueueStatus) {
	if len(s.Instances) == 0 {
		return
	}
	fmt.Fprintln(out, "\nWORKER\tIN WORK\tOF\tFINISHED\tRELAY\tHEARD\tSTATE")
	for _, i := range s.Instances {
		relay := i.Relay
		if relay == "" {
			relay = "(none)"
		}
		fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%s\t%s ago\t%s\n", i.Instance, i.InFlight, i.Concurrent, i.Finished, printable(relay),
			max(0, s.At.Sub(i.At)).Round(time.Second), state(i))
	}
}

func state(i worker.Instance) string {
	var reasons []string
	for _, p := range i.Pauses {
		reasons = append(reasons, string(p.Code))
	}
	if len(reasons) == 0 {
		return "working"
	}
	return "paused: " + printable(strings.Join(reasons, ", "))
}

// lineOfQueue writes the figures that change, and what is going on.
func lineOfQueue(out io.Writer, s worker.QueueStatus) error {
	what, todo := s.Say()
	if todo != "" {
		what += "; to do: " + todo
	}
	_, err := fmt.Fprintf(out, "%s  unfinished %s  oldest %s  in %s/s  finished %s/s  left %s  %s\n", s.At.Local().Format(time.TimeOnly),
		asked(s, worker.UnaskedNATS, s.Depth), asked(s, worker.UnaskedNATS, age(s)), asked(s, worker.UnaskedNATS, decimal(s.RateIn)),
		asked(s, worker.UnaskedNATS, decimal(s.RateOut)), asked(s, worker.UnaskedRedis, s.ProductsLeft), printable(what))
	return err
}
