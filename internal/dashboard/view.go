package dashboard

import (
	"net/url"
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// body is what a page shows.
type body interface {
	view(f frame) view
}

// view is a page without what is around it on every page.
type view struct {
	title string
	main  g.Node
	parts []part // of main, those that are live
}

// part is a live part of a page: what is inside one of its elements.
type part struct {
	name string
	html g.Node
}

// inside is what the part's element has: its name, by which the script finds it, and what it shows.
func (p part) inside() g.Node { return g.Group{h.Data("part", p.name), p.html} }

// frame is what a page is shown in.
type frame struct {
	Page   string
	Path   string
	Viewer viewer
	Notes  []note
	Login  bool // somebody may log in
	// Letters says whether there is a page of dead letters.
	Letters bool
}

// document is the whole page.
func (f frame) document(v view) g.Node {
	return h.Doctype(h.HTML(h.Lang("en"), head(v.title), h.Body(
		h.A(h.Class("skip"), h.Href("#main"), text("Skip to the content")),
		f.top(),
		h.Main(h.ID("main"), h.TabIndex("-1"), g.Map(f.Notes, note.show),
			h.P(h.Class("note bad"), h.Role("status"), h.Data("part", "problem"), g.Attr("hidden")),
			v.main),
		foot(),
	)))
}

func head(title string) g.Node {
	return h.Head(
		h.Meta(h.Charset("utf-8")),
		h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
		h.Meta(h.Name("color-scheme"), h.Content("light dark")),
		h.TitleEl(text(title, " – autopurchase")),
		h.Link(h.Rel("icon"), h.Href("/assets/icon.svg"), h.Type("image/svg+xml")),
		h.Link(h.Rel("stylesheet"), h.Href("/assets/dashboard.css")),
		h.Script(h.Src("/assets/dashboard.js"), h.Defer()),
	)
}

func (f frame) top() g.Node {
	return h.Header(h.Class("top"),
		h.A(h.Class("brand"), h.Href("/"), h.Img(h.Src("/assets/icon.svg"), h.Alt(""), h.Width("28"), h.Height("28")), h.Span(text("autopurchase"))),
		h.Nav(h.Aria("label", "Pages"), h.Ul(
			f.tab("Overview", "/", "overview"),
			f.tab("Requests", "/requests", "requests", "request", "bulk"),
			f.tab("Keys", "/keys", "keys", "key"),
			g.If(f.Letters, f.tab("Dead letters", "/dead", "dead", "letter")),
			f.tab("Workers", "/workers", "workers"),
		)),
		h.Div(h.Class("who"), f.who()))
}

// tab leads to a page, and is marked on it and those that belong to it.
func (f frame) tab(name, path string, pages ...string) g.Node {
	return h.Li(h.A(href(path), g.If(slices.Contains(pages, f.Page), h.Aria("current", "page")), text(name)))
}

// who says who is logged in, or leads to the login.
func (f frame) who() g.Node {
	if f.Viewer.Name() == "" {
		return g.If(f.Login, quiet("Log in", "/login?next="+url.QueryEscape(f.Path)))
	}
	return h.Form(h.Method("post"), h.Action("/logout"), csrf(f.Viewer),
		h.Span(bdi(f.Viewer.Name()), g.If(f.Viewer.Admin(), text(", administrator"))),
		text(" "), h.Button(h.Class("quiet"), text("Log out")))
}

func (n note) show() g.Node {
	class := "note good"
	if n.Bad {
		class = "note bad"
	}
	return h.P(h.Class(class), h.Role("status"), text(n.Text))
}

func foot() g.Node {
	return h.Footer(h.P(text("Live while this page is open "), h.Span(h.Class("pulse"), h.Aria("hidden", "true")),
		h.NoScript(text("only with JavaScript: reload the page for newer numbers"))))
}
