package dashboard

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"autopurchase/worker"
)

func (p requestsPage) view(f frame) view {
	list := part{"list", p.list(f.Viewer.Admin())}
	return view{title: "Requests", parts: []part{list}, main: g.Group{
		h.H1(text("Requests")),
		p.search(),
		h.Section(h.Class("card"), h.Aria("label", "List of requests"), list.inside()),
	}}
}

func (p requestsPage) list(admin bool) g.Node {
	found := len(p.Listing.Requests) > 0
	return g.Group{trouble(p.Problem),
		g.If(found, h.Form(h.Method("get"), h.Action("/requests/change"), p.table(admin), g.If(admin, requestButtons()))),
		g.If(found && admin, allOf(p.All)),
		g.If(!found && p.Problem == "", h.P(text("No request is like that."))),
		actions(quiet("Newest requests", p.First), quiet("Older requests", p.Next)),
	}
}

func requestButtons() g.Node {
	return actions(doing("cancel", "Cancel those picked", false), doing("retry", "Ask for those picked again", false), doing("absent", "Those picked were not ordered", false))
}

func (p requestsPage) table(admin bool) g.Node {
	heads := columns("Request", "State", "Reason", "Orders at 1688", "Sellers", "Asked for", "Decided")
	if admin {
		heads = append([]g.Node{pickAll()}, heads...)
	}
	return table("list", p.caption(), heads, g.Map(p.Listing.Requests, func(s worker.Summary) g.Node { return requestRow(s, admin) }))
}

func (p requestsPage) caption() string {
	switch {
	case p.First != "":
		return "Older requests"
	case p.Many:
		return "More than " + count(p.Listing.Total) + " requests, the newest first"
	}
	return plural(p.Listing.Total, "request", "requests") + ", the newest first"
}

func requestRow(s worker.Summary, admin bool) g.Node {
	return row(
		g.If(admin, pickOne(pick(s.Tenant, s.RequestID), "Pick request "+s.RequestID+" of "+s.Tenant)),
		rowHead("Request", h.Span(lifeLink(s.Tenant, s.RequestID))),
		cell("State", badge(string(s.State), lifeState(s.State))),
		cell("Reason", bdi(reasonOf(s))),
		cell("Orders at 1688", h.Span(text(join(s.OrderIDs)), g.If(len(s.Tracking) > 0, g.Group{text(" "), soft(text("parcel "), bdi(join(s.Tracking)))}))),
		cell("Sellers", bdi(join(s.Sellers))),
		cell("Asked for", moment(s.AskedAt)),
		cell("Decided", moment(s.DecidedAt)),
	)
}

// lifeLink leads to a request, and says whose it is.
func lifeLink(tenant, id string) g.Node {
	return g.Group{h.A(href(lifePath(tenant, id)), text(id)), text(" "), soft(text(tenant))}
}

// reasonOf is why a request is not ordered, or else how its orders are.
func reasonOf(s worker.Summary) string {
	if s.Reason != "" && s.State != worker.LifePlaced {
		return oneLine(s.Reason)
	}
	return orderStatus(s.Latest)
}
