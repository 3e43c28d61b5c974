package dashboard

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"autopurchase/worker"
)

func (o overview) view(f frame) view {
	mood := part{"mood", badge(o.Mood.Kind, o.Mood.Word)}
	sentence, flow := part{"sentence", o.sentence()}, part{"flow", h.Ol(h.Class("flow"), g.Map(o.Flow, station.show))}
	attention := part{"attention", o.attention(f.Letters)}
	charts, pools := part{"charts", o.charts()}, part{"pools", g.Map(o.Pools, poolView.show)}
	return view{title: "Overview", parts: []part{mood, sentence, flow, attention, charts, pools}, main: g.Group{
		h.H1(text("Overview")),
		h.Section(h.Class("card mood"), h.P(h.Role("status"), mood.inside()), h.Div(sentence.inside())),
		titled("flow-title", "The way of a request", h.Div(flow.inside())),
		titled("attention-title", "For your attention", h.Div(attention.inside())),
		titled("hour-title", "The last hour", h.Div(h.Class("charts"), charts.inside())),
		titled("keys-title", "App keys", h.Div(h.Class("grid2"), pools.inside())),
	}}
}

// titled is a section with a heading that names it.
func titled(id, title string, inside ...g.Node) g.Node {
	return h.Section(h.Aria("labelledby", id), h.H2(h.ID(id), text(title)), g.Group(inside))
}

func (o overview) sentence() g.Node {
	oldest := span(seconds(o.Status.OldestSeconds))
	return g.Group{
		h.P(h.Class("say"), prose(o.Mood.What)),
		g.If(o.Mood.Todo != "", h.P(h.Strong(text("What to do:")), text(" "), prose(o.Mood.Todo))),
		g.If(o.Known && o.Status.OldestSeconds != 0, softLine(text("The oldest request that has no result waits for ", oldest, "."))),
		g.If(o.Unasked != "", softLine(text("Out of reach, so left out of these numbers: ", o.Unasked, "."))),
		g.Map(o.Problems, func(problem string) g.Node { return softLine(text(problem)) }),
	}
}

func (s station) show() g.Node {
	part := func(class, said string) g.Node { return h.Span(h.Class(class), text(said)) }
	return h.Li(g.If(s.Stopped, h.Class("stopped")), h.A(href(s.Link),
		part("name", s.Name), text(" "), part("number", s.Number), text(" "), part("unit", s.Unit), text(" "), part("soft", s.Note),
		g.If(s.Stopped, g.Group{text(" "), part("halt", "stands still here")})))
}

func (o overview) attention(letters bool) g.Node {
	dead := g.Group{o.number(count(o.Status.Dead)), text(" dead letters: could not be read, or were given up")}
	return h.Ul(h.Class("tiles"),
		tile("bad", o.Status.Unknown > 0, h.A(h.Href("/requests?state=unknown"), o.number(count(o.Status.Unknown)), text(" need a person: it is not known whether they were ordered"))),
		tile("warn", o.Status.Dead > 0, g.If(letters, h.A(h.Href("/dead"), dead)), g.If(!letters, plainTile(dead))),
		unpaid(o.Status.Unpaid),
		payStopped(o.Status.PayStopped),
	)
}

// tile is coloured while there is something in it.
func tile(class string, coloured bool, inside ...g.Node) g.Node {
	if !coloured {
		class = ""
	}
	return h.Li(h.Class(class), g.Group(inside))
}

func plainTile(inside ...g.Node) g.Node { return h.Span(h.Class("tile"), g.Group(inside)) }

// number is a dash while it is not known.
func (o overview) number(said string) g.Node {
	if !o.Known {
		said = "–"
	}
	return h.Span(h.Class("number"), text(said))
}

func unpaid(n int64) g.Node {
	return g.If(n > 0, tile("warn", true, plainTile(h.Span(h.Class("number"), text(count(n))), text(" payments want a person: "), h.Code(text("autopurchase orders unpaid")))))
}

func payStopped(s *worker.Switch) g.Node {
	if s == nil {
		return nil
	}
	return tile("bad", true, plainTile(text("Payments are stopped by "), bdi(s.By), text(" since "), moment(s.At), g.If(s.Why != "", g.Group{text(": "), bdi(s.Why)})))
}
