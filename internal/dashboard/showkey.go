package dashboard

import (
	"cmp"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"autopurchase/worker"
)

func (p keyPage) view(f frame) view {
	title, state, admin := "App key "+p.Key.AppKey, part{"state", p.Key.facts()}, f.Viewer.Admin()
	return view{title: title, parts: []part{state}, main: g.Group{
		h.P(h.A(h.Href("/keys"), text("All keys"))),
		h.H1(text(title)),
		h.Section(h.Class("card"), state.inside()),
		actions(h.A(h.Class("button"), href(p.Path+"/statement.csv"), g.Attr("download"), text("Download the statement")), text(" "), g.If(admin, g.Map(p.Actions, p.action))),
		g.If(admin, titled("steps-title", "Setting it up on 1688", p.checklist())),
	}}
}

func (p keyPage) action(a keyAction) g.Node {
	class := "button"
	if a.Final {
		class = "button danger"
	}
	return h.A(h.Class(class), href(p.Path+"/"+a.Do), text(a.Label))
}

func (k keyBar) facts() g.Node {
	held := ""
	if k.Held > 0 {
		held = ", " + count(k.Held) + " held for orders under way or unknown"
	}
	return g.Group{h.Dl(h.Class("facts"),
		fact("State", k.badge()),
		fact("Ordered", text(count(k.Used), " of ", count(k.Limit), " products", held)),
		fact("Left", text(count(k.Left))),
		fact("Pool", bdi(k.Pool)),
		fact("Buyer account", bdi(cmp.Or(k.Account, "any"))),
		fact("Pays by Alipay without a person", text(k.alipay())),
		fact("Secret", text(k.secret())),
	), k.bar()}
}

func (k keyBar) alipay() string {
	if k.Alipay == "none" {
		return "no"
	}
	return k.Alipay
}

// secret says where the key's secret is.
func (k keyBar) secret() string {
	switch {
	case k.Source == "managed":
		return "kept by the relay’s operator"
	case k.Fingerprint != "":
		return "sealed, fingerprint " + k.Fingerprint
	}
	return "none was given yet"
}

// checklist is what is to be done before the key may order, once somebody asks.
func (p keyPage) checklist() g.Node {
	switch {
	case !p.Asked:
		return h.P(quiet("Show the checklist", p.Path+"?steps=show"), text(" "), soft(text("1688 is asked about each step that it can prove.")))
	case p.Problem != "":
		return softLine(text("The checklist cannot be shown now: ", p.Problem))
	}
	return g.Group{h.P(p.open()), h.Ol(h.Class("steps"), g.Map(p.Steps, stepRow.show))}
}

func (p keyPage) open() g.Node {
	if p.Done {
		return text("Everything is done.")
	}
	return g.Group{text("Some steps are open. Say here what is done; "), h.Code(text("autopurchase keys onboard ", p.Key.AppKey)), text(" goes through them too, and takes the buyer’s authorization.")}
}

func (s stepRow) show() g.Node {
	kind := string(s.Verdict)
	return h.Li(h.Class(kind), h.Strong(text(s.Title)), text(" "), badge(kind, verdict(s.Verdict)),
		g.If(s.Verdict == worker.StepOpen, h.P(text(s.Do))),
		g.If(s.Why != "", softLine(text(s.Why))),
		g.If(s.By != "", softLine(s.by(), text(" "), moment(s.At))),
		actions(g.Map(s.Links, func(l link) g.Node {
			return h.A(h.Class("button quiet"), href(l.To), h.Aria("label", l.Label+": "+s.Title), text(l.Label))
		})))
}

func (s stepRow) by() g.Node {
	if s.By == "machine" {
		return text("Checked at 1688")
	}
	return g.Group{text("By "), bdi(s.By)}
}
