package dashboard

import (
	"cmp"
	"fmt"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"autopurchase/worker"
)

func (p requestPage) view(f frame) view {
	life := part{"life", lifeOf(p.Life)}
	return view{title: "Request " + p.Name, parts: []part{life}, main: g.Group{
		h.P(h.A(h.Href("/requests"), text("All requests"))),
		h.H1(text("Request "), bdi(p.Name)),
		g.If(f.Viewer.Admin() && len(p.Actions) > 0, h.Form(h.Method("get"), h.Action("/requests/change"), h.Class("actions"), hidden("pick", p.Pick), g.Map(p.Actions, requestAction.button))),
		h.Div(life.inside()),
	}}
}

func (a requestAction) button() g.Node { return doing(a.Do, a.Label, a.Final) }

func lifeOf(l worker.Life) g.Node {
	return g.Group{
		h.Section(h.Class("card"), lifeFacts(l), why(l)),
		titled("steps-title", "What happened", h.Ol(h.Class("life"), g.Map(l.Steps, lifeStep))),
		g.If(len(l.Parts) > 0, h.Section(h.Class("card apart"), partsTable(l.Parts))),
	}
}

func lifeFacts(l worker.Life) g.Node {
	return h.Dl(h.Class("facts"),
		fact("State", badge(string(l.State), lifeState(l.State))),
		fact("Tenant", text(l.Tenant)),
		fact("Asked for", moment(l.AskedAt)),
		fact("Decided", moment(l.DecidedAt)),
		fact("Orders at 1688", text(cmp.Or(join(l.OrderIDs), "none"))),
		fact("Products", text(count(l.Products), ", in ", plural(l.Lines, "line", "lines"))),
		g.If(l.Pool != "", fact("Pool and app keys", bdi(l.Pool), g.If(len(l.AppKeys) > 0, text(": ", join(l.AppKeys))))),
		g.If(len(l.Sellers) > 0, fact("Sellers", bdi(join(l.Sellers)))),
	)
}

// why says why a request is as it is, and what it waits for.
func why(l worker.Life) g.Node {
	waits := l.WaitingFor != "" && (l.State == worker.LifeWaiting || l.State == worker.LifeUnknown)
	return g.Group{
		g.If(l.Reason != "", h.P(h.Strong(text("Reason:")), text(" "), bdi(oneLine(l.Reason)), g.If(l.Code != "", g.Group{text(" "), soft(text("(", codeWords(l.Code), ")"))}))),
		g.If(waits, h.P(h.Class("note bad"), text("Waiting for: "), prose(l.WaitingFor))),
	}
}

func lifeStep(s worker.LifeStep) g.Node {
	return h.Li(g.If(s.What == "dead", h.Class("bad")), h.Strong(text(stepName(s.What))), text(" "),
		soft(moment(s.At), g.If(s.Reference != "", g.Group{text(", order "), bdi(s.Reference)}), g.If(s.Attempt > 1, text(fmt.Sprint(", attempt ", s.Attempt)))),
		h.Br(), bdi(oneLine(s.Text)),
		g.If(s.By != "", g.Group{text(" "), soft(text("by "), bdi(s.By))}))
}

func partsTable(parts []worker.LifePart) g.Node {
	return table("", "The orders that the request is split into, one for each seller",
		columns("Order", "Seller", "Lines", "State", "App key", "Products", "At 1688"), g.Map(parts, partRow))
}

func partRow(p worker.LifePart) g.Node {
	return row(
		rowHead("Order", text(p.Reference)),
		cell("Seller", bdi(p.Seller)),
		cell("Lines", text(lineNumbers(p.Lines))),
		cell("State", h.Span(text(cmp.Or(string(p.Claim), "not begun")), g.If(p.Reason != "", g.Group{text(": "), bdi(oneLine(p.Reason))}))),
		cell("App key", h.Span(text(p.AppKey), g.If(len(p.AlsoOn) > 0, text(", or ", join(p.AlsoOn))))),
		numberCell("Products", count(p.Products)),
		cell("At 1688", h.Span(text(join(p.OrderIDs), " "), bdi(partStatus(p)), g.Map(p.Parcels, parcel))),
	)
}

// partStatus is the state of an order, or 1688's own word where there is none of ours.
func partStatus(p worker.LifePart) string {
	if p.State != "" {
		return orderStatus(p.State)
	}
	return orderStatus(p.Status)
}

func parcel(p worker.Parcel) g.Node { return g.Group{text(" "), bdi(oneLine(p.Say()))} }
