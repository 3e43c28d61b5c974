package dashboard

import (
	"net/url"
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (p bulkPage) view(f frame) view {
	bulk := part{"bulk", p.far(f.Viewer)}
	return view{title: p.Title, parts: []part{bulk}, main: g.Group{
		h.H1(text(p.Title)),
		h.Section(h.Class("card"), bulk.inside()),
	}}
}

// far says how far it is.
func (p bulkPage) far(v viewer) g.Node {
	return g.Group{
		h.P(h.Role("status"), text(p.say())),
		h.Progress(h.Max(strconv.Itoa(p.All)), h.Value(strconv.Itoa(p.Done+p.Failed)), h.Aria("label", "How far it is")),
		p.wrong(),
		g.If(v.Admin() && !p.Ended, h.Form(h.Method("post"), h.Action("/bulk/"+url.PathEscape(p.ID)+"/stop"), h.Class("actions"), csrf(v), h.Button(h.Class("danger"), text("Stop")))),
		actions(quiet("Back to the list", p.Back)),
	}
}

func (p bulkPage) say() string {
	said := count(p.Done) + " of " + count(p.All) + " done"
	if p.Failed > 0 {
		said += ", " + count(p.Failed) + " could not be done"
	}
	switch {
	case !p.Ended:
		return said + ". It goes on, also if you leave this page."
	case p.Done+p.Failed < p.All:
		return said + ". It was stopped; the others are as they were."
	}
	return said + ". That is all."
}

func (p bulkPage) wrong() g.Node {
	if len(p.Wrong) == 0 {
		return nil
	}
	which := ""
	if len(p.Wrong) < p.Failed {
		which = ", the first of them"
	}
	return g.Group{h.P(text("What could not be done", which, ":")), named(p.Wrong)}
}
