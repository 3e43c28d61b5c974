package dashboard

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"autopurchase/worker"
)

// search is the form that picks requests.
func (p requestsPage) search() g.Node {
	return h.Form(h.Class("card"), h.Method("get"), h.Action("/requests"), h.Role("search"), h.Aria("label", "Requests"),
		h.Div(h.Class("filter"),
			searchBox(p.Filter.Text, "request, order or tracking number, or error"),
			choice("State", "state", p.States, p.State, lifeState),
			searchButtons("/requests", "All requests")),
		h.Details(g.If(p.More, g.Attr("open")), h.Summary(text("More filters")), h.Div(h.Class("filter"), p.more())))
}

func (p requestsPage) more() g.Node {
	return g.Group{
		codeChoice(p.Codes, p.Code),
		box("Tenant", "tenant", p.Filter.Tenant),
		box("App key", "app_key", p.Filter.AppKey),
		box("Seller", "seller", p.Filter.Seller),
		box("Offer", "offer", p.Filter.Offer),
		box("Asked for from", "from", p.From, h.Type("date")),
		box("to", "to", p.To, h.Type("date")),
	}
}

// search is the form that picks dead letters.
func (p lettersPage) search() g.Node {
	return h.Form(h.Class("card filter"), h.Method("get"), h.Action("/dead"), h.Role("search"), h.Aria("label", "Dead letters"),
		searchBox(p.Filter.Text, "request or reason"),
		codeChoice(p.Codes, p.Filter.Code),
		box("Tenant", "tenant", p.Filter.Tenant),
		searchButtons("/dead", "All"))
}

func searchBox(value, hint string) g.Node {
	return box("Search", "text", value, h.Type("search"), h.Placeholder(hint))
}

func searchButtons(all, label string) g.Node {
	return actions(h.Button(text("Search")), text(" "), quiet(label, all))
}

// box takes a text.
func box(label, name, value string, more ...g.Node) g.Node {
	return h.Label(text(label), h.Input(h.Name(name), h.Value(value), g.Group(more)))
}

func codeChoice(codes []worker.Code, chosen worker.Code) g.Node {
	return choice("Reason", "code", codes, chosen, codeWords)
}

// choice takes one of several values, or any.
func choice[V ~string](label, name string, values []V, chosen V, say func(V) string) g.Node {
	return h.Label(text(label), h.Select(h.Name(name), h.Option(h.Value(""), text("any")), g.Map(values, func(v V) g.Node {
		return h.Option(h.Value(string(v)), g.If(v == chosen, h.Selected()), text(say(v)))
	})))
}
