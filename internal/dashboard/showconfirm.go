package dashboard

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (c confirmation) view(f frame) view {
	return view{title: c.Title, main: g.Group{
		h.H1(text(c.Title)),
		alert(c.Problem),
		g.Map(c.Explain, func(said string) g.Node { return h.P(text(said)) }),
		named(c.List),
		g.If(c.Final, h.P(h.Strong(text("It cannot be taken back.")))),
		c.form(f.Viewer),
	}}
}

func (c confirmation) form(v viewer) g.Node {
	return h.Form(h.Class("card stack"), h.Method("post"), h.Action(local(c.Action)),
		csrf(v), g.Map(c.Hidden, func(f field) g.Node { return hidden(f.Name, f.Value) }),
		g.Map(c.Fields, field.show),
		softLine(text("In the journal as "), bdi(v.Name()), text(".")),
		actions(h.Button(danger(c.Final), text(c.Button)), text(" "), quiet("Do nothing", c.Back)))
}

func (f field) show() g.Node {
	id, help := "field-"+f.Name, "help-"+f.Name
	return g.Group{
		h.Label(h.For(id), text(f.Label)),
		h.Input(h.ID(id), h.Name(f.Name), f.kind(), g.If(f.Required, h.Required()), g.If(f.Help != "", h.Aria("describedby", help))),
		g.If(f.Help != "", h.P(h.Class("soft"), h.ID(help), text(f.Help))),
	}
}

// kind is what the field takes.
func (f field) kind() g.Node {
	switch f.Kind {
	case "check":
		return g.Group{h.Type("checkbox"), h.Value("yes"), g.If(f.Value != "", h.Checked())}
	case "number":
		return g.Group{h.Value(f.Value), h.Type("number"), h.Min("1"), h.Step("1")}
	}
	return g.Group{h.Value(f.Value), h.MaxLength("2000")}
}
