package dashboard

import (
	"cmp"
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"autopurchase/worker"
)

func (p workersPage) view(frame) view {
	workers := part{"workers", p.tables()}
	return view{title: "Workers and relays", parts: []part{workers}, main: g.Group{
		h.H1(text("Workers and relays")),
		h.P(text("Workers take requests and draw app keys; a relay signs what they order and sends it to 1688.")),
		h.Div(workers.inside()),
	}}
}

func (p workersPage) tables() g.Node {
	return g.Group{trouble(p.Problem),
		g.If(len(p.Workers) > 0, h.Section(h.Class("card"), table("", "Workers that said lately how they are",
			columns("Worker", "State", "In hand", "Finished", "Relay", "Started", "Last heard"), g.Map(p.Workers, workerRow)))),
		g.If(len(p.Workers) == 0 && p.Problem == "", h.P(text("No worker has said anything lately. Start one: "), h.Code(text("autopurchase worker")), text("."))),
		g.If(len(p.Relays) > 0, h.Section(h.Class("card"), table("", "Relays that workers are connected to", columns("Relay", "Workers"), g.Map(p.Relays, relayView.row)))),
	}
}

func workerRow(i worker.Instance) g.Node {
	inHand := count(i.InFlight)
	if i.Concurrent > 0 {
		inHand += " of " + count(i.Concurrent)
	}
	return row(
		rowHead("Worker", text(i.Instance)),
		cell("State", workerState(i), g.Map(i.Crowds, crowd)),
		numberCell("In hand", inHand),
		numberCell("Finished", count(i.Finished)),
		cell("Relay", text(cmp.Or(i.Relay, "not connected"))),
		cell("Started", moment(i.Started)),
		cell("Last heard", moment(i.At)),
	)
}

func workerState(i worker.Instance) g.Node {
	if !i.Paused() {
		return badge("working", "working")
	}
	return g.Group{badge("stopped", "standing still"), text(" "), g.Map(i.Pauses, func(p worker.Pause) g.Node {
		return g.Group{text(" "), soft(text(codeWords(p.Code), ": ", p.Reason, ", since "), moment(p.Since))}
	})}
}

func crowd(c worker.Crowd) g.Node {
	return g.Group{text(" "), soft(text(plural(c.Orders, "order waits", "orders wait"), " for a key with room in pool ", c.Pool))}
}

func (r relayView) row() g.Node {
	return row(rowHead("Relay", text(r.Relay)), numberCell("Workers", strconv.Itoa(r.Workers)))
}
