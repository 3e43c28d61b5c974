package dashboard

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (p loginPage) view(frame) view {
	return view{title: "Log in", main: g.Group{
		h.H1(text("Log in")),
		alert(p.Problem),
		h.P(text(p.reads(), " ", p.changes())),
		p.form(),
	}}
}

func (p loginPage) reads() string {
	if p.Reading {
		return "Reading takes a token."
	}
	return "Reading needs no login on this machine."
}

func (p loginPage) changes() string {
	if p.Changing {
		return "The administrators’ token lets you change something too: what you do is in the journal under your name."
	}
	return "This dashboard was started without an administrators’ token, so nothing can be changed here."
}

func (p loginPage) form() g.Node {
	return h.Form(h.Class("card stack"), h.Method("post"), h.Action("/login"), hidden("next", p.Next),
		h.Label(h.For("name"), text("Your name")),
		h.Input(h.ID("name"), h.Name("name"), h.Value(p.Name), h.AutoComplete("username"), h.MaxLength("64"), h.Required()),
		h.Label(h.For("token"), text("Token")),
		h.Input(h.ID("token"), h.Name("token"), h.Type("password"), h.AutoComplete("current-password"), h.Required()),
		actions(h.Button(text("Log in"))))
}
