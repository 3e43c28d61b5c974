package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"autopurchase/worker"
)

// requestsAll are the actions that make sense for all that a list finds.
func requestsAll(p requestsPage, query url.Values) (links []link) {
	for _, a := range requestActions {
		if a.all != "" && len(a.narrowed(p.Filter).States) > 0 {
			q := url.Values{"do": {a.Do}}
			for _, name := range []string{"text", "state", "code", "tenant", "app_key", "seller", "offer", "from", "to"} {
				if query.Get(name) != "" {
					q.Set(name, query.Get(name))
				}
			}
			links = append(links, link{a.all, "/requests/all?" + q.Encode()})
		}
	}
	return links
}

// narrowed picks of a filter's requests those for which the action makes sense; no state is left if it does for none.
func (a requestAction) narrowed(f worker.Filter) worker.Filter {
	wanted := f.States
	f.States = nil
	for _, state := range a.states {
		if len(wanted) == 0 || slices.Contains(wanted, state) {
			f.States = append(f.States, state)
		}
	}
	return f
}

// askAllRequests counts what a filter finds.
func (d *Dashboard) askAllRequests(w http.ResponseWriter, r *http.Request) {
	action, known := requestActionNamed(r.FormValue("do"))
	p, err := requestsAsked(r.URL.Query())
	if err != nil || !known || action.all == "" {
		d.fail(w, r, http.StatusUnprocessableEntity, "This cannot be done with all that are found.")
		return
	}
	b := &bulk{Back: "/requests?" + without(r.URL.Query(), "do").Encode(), do: func(ctx context.Context, name string, by Signed) error {
		tenant, id := unpick(name)
		_, err := d.config.Desk.ChangeRequests(ctx, RequestChange{Do: action.Do, Requests: []RequestName{{tenant, id}}, Signed: by})
		return err
	}}
	states, err := d.findRequests(r.Context(), action.narrowed(p.Filter), b)
	if d.nothingFound(w, r, b, err) {
		return
	}
	d.askBulk(w, r, b, confirmation{Title: action.Label + ": " + plural(len(b.names), "request", "requests"), Button: action.Label, Final: action.Final,
		Explain: []string{action.Explain, "Found: " + counted(len(b.names), states) + " Those are changed, and none that comes to be like that later."}})
}

// findRequests names what a filter finds, and counts the states.
func (d *Dashboard) findRequests(ctx context.Context, filter worker.Filter, b *bulk) (map[string]int, error) {
	states := map[string]int{}
	if len(filter.States) == 0 {
		return states, nil
	}
	for page := (worker.Page{Limit: bulkPart}); ; {
		listing, err := d.config.Requests.List(ctx, filter, page)
		if err != nil {
			return nil, err
		}
		for _, request := range listing.Requests {
			b.names = append(b.names, pick(request.Tenant, request.RequestID))
			states[lifeState(request.State)]++
		}
		if page.After = listing.Next; page.After == "" {
			return states, nil
		}
		if len(b.names) >= maxBulk {
			return nil, errMany
		}
	}
}

// nothingFound says so if there is nothing to be done, or it is not known.
func (d *Dashboard) nothingFound(w http.ResponseWriter, r *http.Request, b *bulk, err error) bool {
	switch {
	case err != nil:
		d.fail(w, r, http.StatusUnprocessableEntity, "Nothing was done: "+err.Error())
	case len(b.names) == 0:
		d.fail(w, r, http.StatusUnprocessableEntity, "None is found for which this makes sense.")
	default:
		return false
	}
	return true
}

// lettersAll are the actions for all letters that a list finds.
func lettersAll(f LetterFilter) (links []link) {
	for _, a := range []link{{"Handle all that are found again", "replay"}, {"Remove all that are found", "drop"}} {
		links = append(links, link{a.Label, "/dead/all?" + url.Values{"do": {a.To}, "code": {string(f.Code)}, "tenant": {f.Tenant}, "text": {f.Text}}.Encode()})
	}
	return links
}

// askAllLetters counts what a filter finds.
func (d *Dashboard) askAllLetters(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	do := query.Get("do")
	c, known := letterActions[do]
	if !known || d.config.Letters == nil {
		d.fail(w, r, http.StatusUnprocessableEntity, "This cannot be done with all that are found.")
		return
	}
	b := &bulk{Back: "/dead?" + without(query, "do").Encode(), do: func(ctx context.Context, name string, by Signed) error {
		sequence, err := strconv.ParseUint(name, 10, 64)
		if err == nil {
			_, err = d.config.Desk.ChangeLetters(ctx, LetterChange{Do: do, Sequences: []uint64{sequence}, Signed: by})
		}
		return err
	}}
	err := d.findLetters(r.Context(), LetterFilter{Code: worker.Code(query.Get("code")), Tenant: query.Get("tenant"), Text: query.Get("text")}, b)
	if d.nothingFound(w, r, b, err) {
		return
	}
	c.Title += ": " + plural(len(b.names), "dead letter", "dead letters")
	c.Explain = append(slices.Clone(c.Explain), "Those that were found now are changed, and none that comes later.")
	d.askBulk(w, r, b, c)
}

func (d *Dashboard) findLetters(ctx context.Context, filter LetterFilter, b *bulk) error {
	for after := ""; ; {
		box, err := d.config.Letters.Dead(ctx, filter, after, bulkPart)
		if err != nil {
			return err
		}
		for _, letter := range box.Letters {
			b.names = append(b.names, fmt.Sprint(letter.Sequence))
		}
		if after = box.Next; after == "" {
			return nil
		}
		if len(b.names) >= maxBulk {
			return errMany
		}
	}
}

func without(query url.Values, name string) url.Values {
	query.Del(name)
	return query
}
