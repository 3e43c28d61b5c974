package dashboard

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"autopurchase/worker"
)

// keysPage is the table of keys.
type keysPage struct {
	Pools []poolTable
}

// poolTable is the keys of a pool and how long they last.
type poolTable struct {
	Pool     string
	Keys     []keyBar
	Left     int64
	Forecast worker.Forecast
	Outlook  string // in words
	Problem  string
}

func (d *Dashboard) keysPage(r *http.Request) (body, error) {
	var p keysPage
	for _, name := range d.poolNames(r) {
		table := poolTable{Pool: name}
		keys, err := d.keys.get(r.Context(), name)
		if err != nil {
			table.Problem = err.Error()
		}
		for _, key := range inOrder(keys) {
			table.Keys = append(table.Keys, barOf(key))
			table.Left += key.Left
		}
		table.Forecast, err = d.forecasts.get(r.Context(), name)
		table.Outlook = outlook(table.Forecast, err)
		p.Pools = append(p.Pools, table)
	}
	return p, nil
}

// poolNames are the pools that the queue knows of.
func (d *Dashboard) poolNames(r *http.Request) []string {
	status, err := d.status.get(r.Context(), "")
	if err != nil || len(status.Pools) == 0 {
		return []string{defaultPool}
	}
	var names []string
	for _, p := range status.Pools {
		names = append(names, p.Pool)
	}
	return names
}

// outlook says until when a pool lasts, and what to prepare.
func outlook(f worker.Forecast, err error) string {
	switch {
	case errors.Is(err, errSlow):
		return "How long the keys last is being worked out; it shows here as soon as it is known."
	case err != nil:
		return "How long the keys last is not known now: " + err.Error()
	case f.UsedUp.IsZero() && f.Left > 0:
		return "At the pace of the last week the keys last for years."
	case f.Left == 0:
		return "No key has room: prepare new ones, or raise a limit."
	}
	said := "At the present pace all keys are used up on " + f.UsedUp.UTC().Format("2 Jan 2006, 15:04") + " UTC."
	if f.Prepare.Keys > 0 {
		said += " Prepare " + plural(f.Prepare.Keys, "new key", "new keys") + " by " + f.Prepare.ReadyBy.UTC().Format("2 Jan 2006") + "."
	}
	return said
}

// keyPage is one key.
type keyPage struct {
	Key     keyBar
	Asked   bool // for the checklist
	Steps   []stepRow
	Done    bool
	Actions []keyAction
	Path    string
	Problem string
}

func (d *Dashboard) keyPage(r *http.Request) (body, error) {
	pool, appKey := r.PathValue("pool"), r.PathValue("key")
	p := keyPage{Path: keyPath(pool, appKey)}
	listed, err := d.listed(r, pool, appKey)
	if err != nil {
		return nil, err
	}
	p.Key = barOf(listed)
	if r.FormValue("steps") == "show" && viewerOf(r).Admin() { // 1688 is asked, so nobody does in passing
		p.Asked = true
		got, err := d.key.get(r.Context(), pool+"/"+appKey)
		if err != nil {
			p.Problem = err.Error()
		}
		p.Steps, p.Done = stepRows(p.Path, got.Steps), got.Done
	}
	for _, a := range keyActions {
		if a.fits(listed.State) {
			p.Actions = append(p.Actions, a)
		}
	}
	return p, nil
}

// listed finds a key in its pool.
func (d *Dashboard) listed(r *http.Request, pool, appKey string) (Key, error) {
	keys, err := d.keys.get(r.Context(), pool)
	if err != nil {
		return Key{}, err
	}
	for _, key := range keys {
		if key.AppKey == appKey {
			return key, nil
		}
	}
	return Key{}, missing{"The pool " + pool + " has no app key " + appKey + "."}
}

func keyPath(pool, appKey string) string {
	return "/keys/" + url.PathEscape(pool) + "/" + url.PathEscape(appKey)
}

func cutKey(name string) (pool, appKey string) {
	pool, appKey, _ = strings.Cut(name, "/")
	return pool, appKey
}

// statement sends a key's statement as a file.
func (d *Dashboard) statement(w http.ResponseWriter, r *http.Request) {
	pool, appKey := r.PathValue("pool"), r.PathValue("key")
	if worker.CheckName(pool) != nil || worker.CheckName(appKey) != nil {
		d.fail(w, r, http.StatusNotFound, "There is no such key.")
		return
	}
	var out bytes.Buffer
	if err := d.config.Pools.Statement(r.Context(), pool, appKey, &out); err != nil {
		d.fail(w, r, http.StatusBadGateway, "The statement cannot be made now: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="statement-`+appKey+`.csv"`)
	_, _ = w.Write(out.Bytes())
}
