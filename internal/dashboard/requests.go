package dashboard

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"autopurchase/worker"
)

// requestsPage is a list of requests and what picks them.
type requestsPage struct {
	Filter  worker.Filter
	State   worker.LifeState
	Code    worker.Code
	From    string
	To      string
	States  []worker.LifeState
	Codes   []worker.Code
	More    bool // filters that are folded away are in use
	Listing worker.Listing
	Many    bool   // there are more than are counted
	Next    string // address of the next page
	First   string // address of the first page; "" on it
	All     []link // what may be done with all that are found
	Problem string
}

// perPage is how many requests or dead letters a page has.
const perPage = 50

func (d *Dashboard) requestsPage(r *http.Request) (body, error) {
	p, err := requestsAsked(r.URL.Query())
	if err != nil {
		p.Problem = err.Error()
		return p, nil //nolint:nilerr // the page says it
	}
	query := r.URL.Query()
	after := query.Get("after")
	key, err := askedKey(p.Filter, after)
	if err != nil {
		return nil, err
	}
	if p.Listing, err = d.lists.get(r.Context(), key); err != nil {
		p.Problem = "The list cannot be shown now: " + err.Error()
		return p, nil //nolint:nilerr // the page says it
	}
	p.All = requestsAll(p, query)
	p.Many = p.Listing.Total >= worker.CountBound
	if after != "" {
		query.Del("after")
		p.First = "/requests?" + query.Encode()
	}
	if p.Listing.Next != "" {
		query.Set("after", p.Listing.Next)
		p.Next = "/requests?" + query.Encode()
	}
	return p, nil
}

// requestsAsked reads what is to be picked.
func requestsAsked(q url.Values) (requestsPage, error) {
	text := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	p := requestsPage{
		State: worker.LifeState(text("state")), Code: worker.Code(text("code")), From: text("from"), To: text("to"),
		States: worker.LifeStates(), Codes: slices.Sorted(slices.Values(worker.Codes())),
		Filter: worker.Filter{Text: text("text"), Tenant: text("tenant"), AppKey: text("app_key"), Seller: text("seller"), Offer: text("offer")},
	}
	p.More = p.Code != "" || p.From+p.To+p.Filter.Tenant+p.Filter.AppKey+p.Filter.Seller+p.Filter.Offer != ""
	if p.State != "" {
		p.Filter.States = []worker.LifeState{p.State}
	}
	if p.Code != "" {
		p.Filter.Codes = []worker.Code{p.Code}
	}
	var err error
	if p.Filter.From, err = day("From", p.From); err != nil {
		return p, err
	}
	if p.Filter.To, err = day("To", p.To); err == nil && p.To != "" {
		p.Filter.To = p.Filter.To.AddDate(0, 0, 1) // that day too
	}
	return p, err
}

// day reads a day; it begins at midnight of UTC.
func day(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return at, missing{field + ": must be a day such as 2026-01-31."}
	}
	return at, nil
}

// requestPage is one request.
type requestPage struct {
	Life    worker.Life
	Name    string
	Actions []requestAction
	Pick    string
}

func (d *Dashboard) requestPage(r *http.Request) (body, error) {
	tenant, id := r.URL.Query().Get("tenant"), r.URL.Query().Get("id")
	got, err := d.lives.get(r.Context(), pick(tenant, id))
	switch {
	case err != nil:
		return nil, err
	case !got.found:
		return nil, missing{"Tenant " + tenant + " has no request " + id + "."}
	}
	p := requestPage{Life: got.life, Name: id, Pick: pick(tenant, id)}
	for _, a := range requestActions {
		if slices.Contains(a.states, got.life.State) {
			p.Actions = append(p.Actions, a)
		}
	}
	return p, nil
}

// foundLife is a life, if there is one.
type foundLife struct {
	life  worker.Life
	found bool
}

func (d *Dashboard) findLife(ctx context.Context, picked string) (foundLife, error) {
	tenant, id := unpick(picked)
	life, found, err := d.config.Requests.Life(ctx, tenant, id)
	return foundLife{life, found}, err
}

// pick names a request in a form. A tenant's name has no colon.
func pick(tenant, id string) string { return tenant + ":" + id }

func unpick(picked string) (tenant, id string) {
	tenant, id, _ = strings.Cut(picked, ":")
	return tenant, id
}

// lifePath is where a request's page is. Its id may have whatever can be printed, so it is no part of the path.
func lifePath(tenant, id string) string {
	return "/requests/one?" + url.Values{"tenant": {tenant}, "id": {id}}.Encode()
}
