package benchmark

import (
	"context"
	"time"

	"autopurchase/worker"
)

// desk is a platform that places every order after so long.
type desk struct{ takes time.Duration }

func (d *desk) Place(ctx context.Context, _ worker.Order) worker.Answer {
	if d.takes > 0 {
		select {
		case <-time.After(d.takes):
		case <-ctx.Done():
		}
	}
	return placed
}

func (d *desk) Preview(context.Context, worker.Order) worker.Answer           { return placed }
func (d *desk) Find(context.Context, string, string) worker.Answer            { return placed }
func (d *desk) Probe(context.Context, string) worker.Answer                   { return placed }
func (d *desk) Check(context.Context, string, worker.Check) worker.Answer     { return placed }
func (d *desk) Detail(context.Context, string, string) worker.Answer          { return placed }
func (d *desk) List(context.Context, worker.Leaf) worker.Answer               { return placed }
func (d *desk) CancelOrder(context.Context, string, string) worker.Answer     { return placed }
func (d *desk) Pay(context.Context, worker.Charge) worker.Answer              { return placed }
func (d *desk) PayLink(context.Context, string, []string) worker.Answer       { return placed }
func (d *desk) Authorize(context.Context, worker.Authorization) worker.Answer { return placed }

var placed = worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced,
	Orders: []worker.PlacedOrder{{ID: "2257000000000000973", Total: 4598, Postage: 600}}}
