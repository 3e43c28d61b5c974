package dashboard

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (o overview) charts() g.Node {
	if len(o.Charts) == 0 {
		return softLine(text("The charts of the last hour are being drawn."))
	}
	return g.Map(o.Charts, chart.show)
}

func (c chart) show() g.Node {
	return h.Figure(h.Class("chart"),
		h.FigCaption(h.Strong(text(c.Title)), text(" "), soft(text(c.Unit))),
		g.If(!c.Nothing, g.Group{c.plot(), h.P(h.Class("legend"), legend("mark", c.Low), text(" "), legend("over", c.High))}),
		softLine(text(c.Words)))
}

func (c chart) plot() g.Node {
	return h.Div(h.Class("plot"), h.Span(h.Class("top"), h.Aria("hidden", "true"), text(c.Top)),
		picture("", "0 0 600 120", c.Title+": "+c.Words,
			ruler("grid", "0.5"), ruler("grid", "60"), ruler("axis", "119.5"),
			g.Map(c.Bars, bar.show),
			g.El("polyline", h.Class("over"), g.Attr("points", c.Line))),
		h.P(h.Class("ends"), h.Aria("hidden", "true"), h.Span(text("an hour ago")), h.Span(text("now"))))
}

// legend says what a mark of the picture stands for.
func legend(mark, words string) g.Node { return h.Span(h.Class("key "+mark), text(words)) }

// ruler is a line over the whole width.
func ruler(class, y string) g.Node {
	return g.El("line", h.Class(class), g.Attr("x1", "0"), g.Attr("x2", "600"), g.Attr("y1", y), g.Attr("y2", y))
}

func (b bar) show() g.Node {
	return g.El("rect", h.Class("mark"), g.Attr("x", measure(b.X)), g.Attr("y", measure(b.Y)), h.Width(measure(b.Width)), h.Height(measure(b.Height)))
}
