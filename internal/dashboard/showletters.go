package dashboard

import (
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"autopurchase/worker"
)

func (p lettersPage) view(f frame) view {
	list := part{"list", p.list(f.Viewer.Admin())}
	return view{title: "Dead letters", parts: []part{list}, main: g.Group{
		h.H1(text("Dead letters")),
		h.P(text("Requests that could not be read, or were given up, with the reason. What is right by now can be handled again.")),
		p.search(),
		h.Section(h.Class("card"), h.Aria("label", "List of dead letters"), list.inside()),
	}}
}

func (p lettersPage) list(admin bool) g.Node {
	found := len(p.Box.Letters) > 0
	return g.Group{trouble(p.Problem),
		g.If(found, h.Form(h.Method("get"), h.Action("/dead/change"), p.table(admin),
			g.If(admin, actions(doing("replay", "Handle those picked again", false), doing("drop", "Remove those picked", true))))),
		g.If(found && admin, allOf(p.All)),
		g.If(!found && p.Problem == "", h.P(text("There is no dead letter like that."))),
		actions(quiet("Oldest dead letters", p.First), quiet("Later dead letters", p.Next)),
	}
}

func (p lettersPage) table(admin bool) g.Node {
	heads := columns("Number", "Request", "Reason", "Attempts", "Handled again", "When")
	if admin {
		heads = append([]g.Node{pickAll()}, heads...)
	}
	return table("list", "Dead letters, the oldest first", heads, g.Map(p.Box.Letters, func(l worker.Dead) g.Node { return letterRow(l, admin) }))
}

func letterRow(l worker.Dead, admin bool) g.Node {
	sequence := strconv.FormatUint(l.Sequence, 10)
	again := "never"
	if l.Replays > 0 {
		again = plural(l.Replays, "time", "times")
	}
	return row(
		g.If(admin, pickOne(sequence, "Pick dead letter "+sequence)),
		rowHead("Number", text(sequence)),
		cell("Request", h.Span(letterRequest(l))),
		cell("Reason", letterReason(l)),
		numberCell("Attempts", strconv.Itoa(l.Attempt)),
		numberCell("Handled again", again),
		cell("When", moment(l.At)),
	)
}

func letterRequest(l worker.Dead) g.Node {
	if l.Tenant == "" || l.RequestID == "" {
		return text("cannot be read")
	}
	return lifeLink(l.Tenant, l.RequestID)
}

func letterReason(l worker.Dead) g.Node {
	field := ""
	if l.Field != "" {
		field = l.Field + ": "
	}
	return h.Div(h.Strong(text(codeWords(l.Code))), text(" "), bdi(field+oneLine(l.Reason)),
		h.Details(h.Summary(text("Where it was")), softLine(text("Message ", strconv.FormatUint(l.Stored, 10), " on the subject "), bdi(l.Subject))))
}
