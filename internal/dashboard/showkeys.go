package dashboard

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (p keysPage) view(frame) view {
	pools := part{"pools", g.Map(p.Pools, poolTable.show)}
	return view{title: "Keys", parts: []part{pools}, main: g.Group{
		h.H1(text("App keys")),
		h.P(text("1688 lets each app key order a limited number of products. One that has reached its limit is taken out, and the next one takes over.")),
		h.Div(pools.inside()),
	}}
}

func (p poolTable) show() g.Node {
	problem := ""
	if p.Problem != "" {
		problem = "The keys cannot be shown now: " + p.Problem
	}
	return h.Section(h.Class("card"), h.H2(text("Pool "), bdi(p.Pool)), h.P(text(p.Outlook)), trouble(problem),
		g.If(len(p.Keys) > 0, p.table()),
		g.If(len(p.Keys) == 0 && p.Problem == "", noKey()))
}

func (p poolTable) table() g.Node {
	return table("", "App keys of the pool "+p.Pool+", "+count(p.Left)+" products left in all",
		columns("App key", "State", "Ordered", "Left", "Buyer account", "Alipay", "Statement"),
		g.Map(p.Keys, keyBar.row))
}

// row is a key in the table of its pool.
func (k keyBar) row() g.Node {
	path := keyPath(k.Pool, k.AppKey)
	return row(
		rowHead("App key", h.A(href(path), text(k.AppKey))),
		cell("State", k.badge()),
		cell("Ordered", h.Class("wide"), h.Span(text(count(k.Used), " of ", count(k.Limit), k.held())), k.bar()),
		numberCell("Left", count(k.Left)),
		cell("Buyer account", bdi(k.Account)),
		cell("Alipay", text(k.Alipay)),
		cell("Statement", h.A(href(path+"/statement.csv"), g.Attr("download"), h.Aria("label", "Download the statement of app key "+k.AppKey), text("Download"))),
	)
}
