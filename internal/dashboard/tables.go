package dashboard

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// Tables name their roles, since on a narrow screen the style makes blocks of them, which takes the roles away. There each cell shows
// its column's name, which is its data-label.

// table has a caption, columns and rows.
func table(class, caption string, columns, rows []g.Node) g.Node {
	return h.Table(h.Role("table"), g.If(class != "", h.Class(class)),
		h.Caption(text(caption)),
		h.THead(h.Role("rowgroup"), row(columns...)),
		h.TBody(h.Role("rowgroup"), g.Group(rows)))
}

func row(cells ...g.Node) g.Node { return h.Tr(h.Role("row"), g.Group(cells)) }

// columns are the heads of a table's columns.
func columns(names ...string) []g.Node {
	return g.Map(names, func(name string) g.Node { return column(text(name)) })
}

func column(inside g.Node) g.Node {
	return h.Th(h.Scope("col"), h.Role("columnheader"), inside)
}

// rowHead is the cell that names its row.
func rowHead(label string, inside ...g.Node) g.Node {
	return h.Th(h.Scope("row"), h.Role("rowheader"), h.Data("label", label), g.Group(inside))
}

func cell(label string, inside ...g.Node) g.Node {
	return h.Td(h.Role("cell"), h.Data("label", label), g.Group(inside))
}

// numberCell has a number, which stands at the right.
func numberCell(label, said string) g.Node {
	return cell(label, h.Class("num"), text(said))
}

// pickAll is the head of the column of boxes; a script shows it.
func pickAll() g.Node {
	return column(h.Input(h.Type("checkbox"), h.Data("all", "pick"), h.Aria("label", "Pick all on this page"), g.Attr("hidden")))
}

// pickOne is the box with which a row is picked.
func pickOne(value, label string) g.Node {
	return cell("Pick", h.Input(h.Type("checkbox"), h.Name("pick"), h.Value(value), h.Aria("label", label)))
}
