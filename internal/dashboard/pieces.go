package dashboard

import (
	"strconv"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// text is what a reader sees as it stands: whatever is in it, it is no markup.
func text(parts ...string) g.Node { return g.Text(strings.Join(parts, "")) }

// bdi is text that others chose: it turns nothing around that stands beside it.
func bdi(said string) g.Node { return g.El("bdi", text(said)) }

// href leads to a page of ours. An address that is none leads to the first page, so that nothing of outside becomes a link.
func href(path string) g.Node { return h.Href(local(path)) }

// soft is said in passing.
func soft(said ...g.Node) g.Node { return h.Span(h.Class("soft"), g.Group(said)) }

func softLine(said ...g.Node) g.Node { return h.P(h.Class("soft"), g.Group(said)) }

// trouble says what is wrong, if anything is.
func trouble(said string) g.Node {
	return g.If(said != "", h.P(h.Class("note bad"), text(said)))
}

// alert is trouble with what somebody has just done.
func alert(said string) g.Node {
	return g.If(said != "", h.P(h.Class("note bad"), h.Role("alert"), text(said)))
}

func badge(kind, word string) g.Node { return h.Span(h.Class("badge "+kind), text(word)) }

// quiet is a link that looks like a button; there is none without an address.
func quiet(label, path string) g.Node {
	return g.If(path != "", h.A(h.Class("button quiet"), href(path), text(label)))
}

func actions(inside ...g.Node) g.Node { return h.P(h.Class("actions"), g.Group(inside)) }

func danger(is bool) g.Node { return g.If(is, h.Class("danger")) }

// doing is a button that says what is to be done with what its form has picked.
func doing(do, label string, final bool) g.Node {
	return h.Button(h.Name("do"), h.Value(do), danger(final), text(label))
}

func hidden(name, value string) g.Node {
	return h.Input(h.Type("hidden"), h.Name(name), h.Value(value))
}

// csrf is what each form must send.
func csrf(v viewer) g.Node { return hidden("csrf", v.Token()) }

// moment writes a time so that a script can show it in the zone of whoever reads it; else it is in UTC.
func moment(at time.Time) g.Node {
	if at.IsZero() {
		return text("–")
	}
	at = at.UTC()
	return h.Time(h.DateTime(at.Format(time.RFC3339)), text(at.Format("2 Jan 2006, 15:04:05"), " UTC"))
}

// prose is a sentence; what is between its backquotes is what somebody may type.
func prose(said string) g.Node {
	var parts g.Group
	code := false
	for part := range strings.SplitSeq(said, "`") {
		if code {
			parts = append(parts, h.Code(text(part)))
		} else {
			parts = append(parts, text(part))
		}
		code = !code
	}
	return parts
}

// named is a list of names that others chose.
func named(names []string) g.Node {
	return g.If(len(names) > 0, h.Ul(h.Class("named"), g.Map(names, func(name string) g.Node { return h.Li(bdi(name)) })))
}

// allOf offers what may be done with all that are found.
func allOf(links []link) g.Node {
	if len(links) == 0 {
		return nil
	}
	return actions(g.Map(links, func(l link) g.Node { return quiet(l.Label, l.To) }), text(" "), soft(text("They are counted first.")))
}

// fact is one of a list of facts.
func fact(term string, said ...g.Node) g.Node {
	return h.Div(h.Dt(text(term)), h.Dd(g.Group(said)))
}

// measure writes a measure of a picture.
func measure(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
