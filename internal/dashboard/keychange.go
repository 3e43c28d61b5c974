package dashboard

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// keyAction is what may be done with a key.
type keyAction struct {
	Do      string
	Label   string
	Explain string
	Final   bool
	states  []string // in which it makes sense
}

func (a keyAction) fits(state string) bool { return slices.Contains(a.states, state) }

var keyActions = []keyAction{
	{"disable", "Switch off", "No new order is drawn from the key until a person switches it on again. Orders under way end as they end.", false, []string{"active", "ready", "spent", "benched", "stopped", "onboarding"}},
	{"enable", "Switch on", "The key is put back into use.", false, []string{"disabled", "retired"}},
	{"bench", "Set aside", "No new order is drawn from the key until it is restored, by a person or by the workers once 1688 takes it again.", false, []string{"active", "ready"}},
	{"restore", "Restore", "The key is put back into use although it was turned down, or stopped with its account.", false, []string{"benched", "stopped"}},
	{"rotate", "Let the next key take over", "The key goes to the end of the ready ones, and the next one takes over.", false, []string{"active"}},
	{"limit", "Change the limit", "How many products may be ordered with the key. A limit at or below what was ordered leaves nothing; a higher one lets waiting orders go on at once.", false, []string{"active", "ready", "spent", "benched", "stopped", "disabled", "onboarding"}},
	{"retire", "Retire", "The key has done its work: nothing more is ordered with it. Not while orders on it are under way or unknown.", true, []string{"active", "ready", "spent", "benched", "stopped", "disabled", "onboarding"}},
}

// askKey asks whether a key is to be changed.
func (d *Dashboard) askKey(w http.ResponseWriter, r *http.Request) {
	d.confirmKey(w, r, http.StatusOK, "")
}

func (d *Dashboard) confirmKey(w http.ResponseWriter, r *http.Request, code int, problem string) {
	pool, appKey := r.PathValue("pool"), r.PathValue("key")
	at := slices.IndexFunc(keyActions, func(a keyAction) bool { return a.Do == r.PathValue("do") })
	key, err := d.listed(r, pool, appKey)
	if at < 0 || err != nil {
		d.fail(w, r, http.StatusNotFound, "There is no such key, or nothing of that name can be done with it.")
		return
	}
	action, path := keyActions[at], keyPath(pool, appKey)
	c := confirmation{
		Title:   action.Label + ": app key " + appKey,
		Explain: []string{action.Explain, "It is " + keyState(key.State) + " now, with " + count(key.Used) + " of " + count(key.Limit) + " products ordered and " + count(key.Held) + " held for orders under way."},
		Action:  path + "/" + action.Do, Back: path, Button: action.Label, Final: action.Final, Problem: problem,
		Hidden: []field{{Name: "version", Value: strconv.FormatInt(key.Version, 10)}},
	}
	if action.Do == "limit" {
		value := r.FormValue("limit")
		if value == "" {
			value = strconv.FormatInt(key.Limit, 10)
		}
		c.Fields = append(c.Fields, field{Name: "limit", Label: "Limit, in products", Kind: "number", Value: value, Required: true})
	}
	c.Fields = append(c.Fields, whyField(r, action.Final))
	d.ask(w, r, code, c)
}

// changeKey changes a key.
func (d *Dashboard) changeKey(w http.ResponseWriter, r *http.Request) {
	change := KeyChange{Do: r.PathValue("do"), Pool: r.PathValue("pool"), AppKey: r.PathValue("key"), Signed: signed(r)}
	change.Version, _ = strconv.ParseInt(r.FormValue("version"), 10, 64) // 0 is any
	if change.Do == "limit" {
		limit, err := strconv.ParseInt(strings.TrimSpace(r.FormValue("limit")), 10, 64)
		if err != nil || limit < 1 {
			d.confirmKey(w, r, http.StatusUnprocessableEntity, "Limit: must be a whole number of products, 1 or more.")
			return
		}
		change.Limit = limit
	}
	if !slices.ContainsFunc(keyActions, func(a keyAction) bool { return a.Do == change.Do }) {
		d.fail(w, r, http.StatusNotFound, "Nothing of that name can be done with a key.")
		return
	}
	said, err := d.config.Desk.ChangeKey(r.Context(), change)
	if err != nil {
		d.changed() // the page is to show how it stands now
		d.confirmKey(w, r, http.StatusUnprocessableEntity, err.Error())
		return
	}
	d.done(w, r, keyPath(change.Pool, change.AppKey), said)
}
