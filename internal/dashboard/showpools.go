package dashboard

import (
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// show is a pool on the overview.
func (p poolView) show() g.Node {
	return h.Section(h.Class("card"), h.H3(text("Pool "), bdi(p.Pool)),
		g.If(p.Problem != "", softLine(text("The keys cannot be shown now: ", p.Problem))),
		p.bars(),
		g.If(len(p.Keys) == 0 && p.Problem == "", noKey()))
}

func (p poolView) bars() g.Node {
	if len(p.Keys) == 0 {
		return nil
	}
	return g.Group{
		h.Ul(h.Class("keybars"), g.Map(p.Keys, keyBar.show)),
		g.If(p.More > 0, h.P(h.A(h.Href("/keys"), text(plural(p.More, "more key", "more keys"))))),
		softLine(text(count(p.ProductsLeft), " products left."),
			g.If(!p.UsedUpAt.IsZero(), g.Group{text(" Used up "), moment(p.UsedUpAt), text(" if it goes on like this.")})),
	}
}

// show is a key among those of its pool.
func (k keyBar) show() g.Node {
	return h.Li(h.A(href(keyPath(k.Pool, k.AppKey)), text(k.AppKey)), text(" "), k.badge(), text(" "),
		soft(text(count(k.Used), " of ", count(k.Limit), " ordered", k.held())), k.bar())
}

func (k keyBar) badge() g.Node { return badge(k.State, keyState(k.State)) }

// held adds what is held, if anything is.
func (k keyBar) held() string {
	if k.Held == 0 {
		return ""
	}
	return ", " + count(k.Held) + " held"
}

// bar is how far the key is, as a picture.
func (k keyBar) bar() g.Node {
	used, held := strconv.FormatInt(k.UsedPart, 10), strconv.FormatInt(k.HeldPart, 10)
	return picture("bar "+k.State, "0 0 1000 10", count(k.Used)+" of "+count(k.Limit)+" products ordered, "+count(k.Held)+" held",
		g.El("rect", h.Class("track"), h.Width("1000"), h.Height("10"), g.Attr("rx", "4")),
		g.El("rect", h.Class("used"), h.Width(used), h.Height("10")),
		g.El("rect", h.Class("held"), g.Attr("x", used), h.Width(held), h.Height("10")))
}

// picture is stretched to the room that it has; words say the same.
func picture(class, box, words string, inside ...g.Node) g.Node {
	return h.SVG(g.If(class != "", h.Class(class)), g.Attr("viewBox", box), g.Attr("preserveAspectRatio", "none"), h.Role("img"), h.Aria("label", words), g.Group(inside))
}

func noKey() g.Node {
	return h.P(text("No app key has been added to this pool: "), h.Code(text("autopurchase keys add")), text(", or "), h.Code(text("keys onboard")), text(" for a new one."))
}
