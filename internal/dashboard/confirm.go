package dashboard

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// confirmation is a page that says what is about to be done and asks for what it takes.
type confirmation struct {
	Title   string
	Explain []string
	List    []string // what it is about, if several
	Action  string   // where the form goes
	Back    string
	Button  string
	Final   bool // it cannot be taken back
	Fields  []field
	Hidden  []field
	Problem string
}

// field is one that the form has.
type field struct {
	Name, Label, Help, Value string
	Kind                     string // text, number or area
	Required                 bool
}

// whyField asks for the reason.
func whyField(r *http.Request, required bool) field {
	f := field{Name: "why", Label: "Why", Kind: "text", Value: r.FormValue("why"), Required: required,
		Help: "Is kept in the journal with your name. Up to 200 characters."}
	if !required {
		f.Label = "Why (may be left out)"
	}
	return f
}

// signed is the change's signature: who is logged in, and the form's own number, so that the same form sent twice is one change.
func signed(r *http.Request) Signed {
	return Signed{ID: "dashboard-" + r.FormValue("form"), By: viewerOf(r).by, Why: strings.TrimSpace(r.FormValue("why"))}
}

// ask shows a confirmation. Its form has a number of its own.
func (d *Dashboard) ask(w http.ResponseWriter, r *http.Request, code int, c confirmation) {
	c.Hidden = append(c.Hidden, field{Name: "form", Value: rand.Text()})
	d.render(w, r, "confirm", code, c)
}

// done goes back to a page and tells there what became of a change.
func (d *Dashboard) done(w http.ResponseWriter, r *http.Request, to, said string) {
	d.changed()
	d.sessions.tell(viewerOf(r).cookie, note{Text: said})
	http.Redirect(w, r, local(to), http.StatusSeeOther)
}
