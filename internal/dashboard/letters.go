package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"autopurchase/worker"
)

// lettersPage is a list of dead letters and what picks them.
type lettersPage struct {
	Filter  LetterFilter
	Codes   []worker.Code
	Box     Letterbox
	Next    string
	First   string
	All     []link // what may be done with all that are found
	Problem string
}

func (d *Dashboard) lettersPage(r *http.Request) (body, error) {
	query := r.URL.Query()
	text := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	p := lettersPage{Codes: slices.Sorted(slices.Values(worker.Codes())), Filter: LetterFilter{Code: worker.Code(text("code")), Tenant: text("tenant"), Text: text("text")}}
	key, err := askedKey(p.Filter, query.Get("after"))
	if err != nil {
		return nil, err
	}
	if p.Box, err = d.letters.get(r.Context(), key); err != nil {
		p.Problem = "The list cannot be shown now: " + err.Error()
		return p, nil //nolint:nilerr // the page says it
	}
	p.All = lettersAll(p.Filter)
	if query.Get("after") != "" {
		query.Del("after")
		p.First = "/dead?" + query.Encode()
	}
	if p.Box.Next != "" {
		query = url.Values{"code": {string(p.Filter.Code)}, "tenant": {p.Filter.Tenant}, "text": {p.Filter.Text}, "after": {p.Box.Next}}
		p.Next = "/dead?" + query.Encode()
	}
	return p, nil
}

// letterActions are what may be done with dead letters.
var letterActions = map[string]confirmation{
	"replay": {Title: "Handle again", Button: "Handle again", Explain: []string{"The request is handed to the workers once more. Nothing that was ordered is ordered again; if it cannot be read today either, it comes back with its count."}},
	"drop":   {Title: "Remove", Button: "Remove", Final: true, Explain: []string{"The dead letter goes off the list. The request itself stays on record, without a result if it has none."}},
}

func (d *Dashboard) askLetters(w http.ResponseWriter, r *http.Request) {
	d.confirmLetters(w, r, http.StatusOK, "")
}

func (d *Dashboard) confirmLetters(w http.ResponseWriter, r *http.Request, code int, problem string) {
	c, known := letterActions[r.FormValue("do")]
	change, ok := lettersPicked(r)
	if !known || !ok {
		d.fail(w, r, http.StatusUnprocessableEntity, "Pick 1 to 50 dead letters, and what is to be done with them.")
		return
	}
	c.Action, c.Back, c.Problem = "/dead/change", "/dead", problem
	c.Explain = append([]string{plural(len(change.Sequences), "dead letter is", "dead letters are") + " picked."}, c.Explain...)
	c.Hidden = []field{{Name: "do", Value: change.Do}}
	for _, sequence := range change.Sequences {
		name := strconv.FormatUint(sequence, 10)
		c.List, c.Hidden = append(c.List, "Dead letter "+name), append(c.Hidden, field{Name: "pick", Value: name})
	}
	c.Fields = []field{whyField(r, false)}
	d.ask(w, r, code, c)
}

// lettersPicked reads what a form is about.
func lettersPicked(r *http.Request) (LetterChange, bool) {
	change := LetterChange{Do: r.FormValue("do"), Signed: signed(r)}
	for _, name := range r.Form["pick"] {
		sequence, err := strconv.ParseUint(name, 10, 64)
		if err != nil {
			return change, false
		}
		change.Sequences = append(change.Sequences, sequence)
	}
	return change, len(change.Sequences) > 0 && len(change.Sequences) <= perPage
}

func (d *Dashboard) changeLetters(w http.ResponseWriter, r *http.Request) {
	change, ok := lettersPicked(r)
	if _, known := letterActions[change.Do]; !known || !ok {
		d.fail(w, r, http.StatusUnprocessableEntity, "Pick 1 to 50 dead letters, and what is to be done with them.")
		return
	}
	said, err := d.config.Desk.ChangeLetters(r.Context(), change)
	if err != nil {
		d.changed()
		d.confirmLetters(w, r, http.StatusUnprocessableEntity, strings.TrimSpace(said+" "+err.Error()))
		return
	}
	d.done(w, r, "/dead", said)
}
