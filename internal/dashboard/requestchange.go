package dashboard

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"autopurchase/worker"
)

// requestAction is what may be done with requests.
type requestAction struct {
	Do      string
	Label   string
	Explain string
	Final   bool
	states  []worker.LifeState // in which it makes sense
	all     string             // what it is called where it is for all that a filter finds; "" if a person must look at each
}

var requestActions = []requestAction{
	{"cancel", "Cancel", "What was not sent to 1688 yet is not ordered any more. An order that was sent already stays as it is.", true,
		[]worker.LifeState{worker.LifeWaiting}, "Cancel all that are found"},
	{"retry", "Ask again", "What was not bought is asked for once more, as a new request. Nothing that was ordered is ordered again.", false,
		[]worker.LifeState{worker.LifePartial, worker.LifeRefused, worker.LifeCancelled}, "Ask again for all that are found"},
	{"absent", "It was not ordered", "You have looked at 1688, and there is no such order. The products that are held for it are given back.", true,
		[]worker.LifeState{worker.LifeUnknown}, ""},
	{"placed", "It was ordered", "You have looked at 1688, and found the order. It is counted on its app key.", true,
		[]worker.LifeState{worker.LifeUnknown}, ""},
}

func requestActionNamed(do string) (requestAction, bool) {
	at := slices.IndexFunc(requestActions, func(a requestAction) bool { return a.Do == do })
	if at < 0 {
		return requestAction{}, false
	}
	return requestActions[at], true
}

func (d *Dashboard) askRequests(w http.ResponseWriter, r *http.Request) {
	d.confirmRequests(w, r, http.StatusOK, "")
}

// confirmRequests counts what is picked before anything is done.
func (d *Dashboard) confirmRequests(w http.ResponseWriter, r *http.Request, code int, problem string) {
	action, known := requestActionNamed(r.FormValue("do"))
	picked := r.Form["pick"]
	if !known || len(picked) == 0 || len(picked) > perPage {
		d.fail(w, r, http.StatusUnprocessableEntity, "Pick 1 to 50 requests, and what is to be done with them.")
		return
	}
	c := confirmation{Title: action.Label, Explain: []string{action.Explain}, Action: "/requests/change", Back: "/requests", Button: action.Label, Final: action.Final, Problem: problem}
	c.Hidden = []field{{Name: "do", Value: action.Do}}
	fits, states := 0, map[string]int{}
	for _, name := range picked {
		got, err := d.findLife(r.Context(), name)
		if err != nil || !got.found {
			d.fail(w, r, http.StatusUnprocessableEntity, "The request "+name+" cannot be found now; nothing was done.")
			return
		}
		states[lifeState(got.life.State)]++
		c.List = append(c.List, got.life.Tenant+" / "+got.life.RequestID+": "+lifeState(got.life.State))
		c.Hidden = append(c.Hidden, field{Name: "pick", Value: name})
		if slices.Contains(action.states, got.life.State) {
			fits++
		}
	}
	c.Explain = append(c.Explain, counted(len(picked), states)+" It makes sense for "+plural(fits, "of them", "of them")+"; the others are left as they are.")
	if len(picked) == 1 {
		tenant, id := unpick(picked[0])
		c.Back, c.Title = lifePath(tenant, id), action.Label+": "+id
	}
	c.Fields = append(resolveFields(r, action, len(picked)), whyField(r, false))
	d.ask(w, r, code, c)
}

func counted(n int, states map[string]int) string {
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(states)) {
		parts = append(parts, count(states[state])+" "+state)
	}
	return plural(n, "request", "requests") + ": " + strings.Join(parts, ", ") + "."
}

// resolveFields are what a person's word on an unknown order takes.
func resolveFields(r *http.Request, action requestAction, n int) []field {
	if action.Do != "placed" && action.Do != "absent" {
		return nil
	}
	var fields []field
	if n == 1 {
		fields = append(fields, field{Name: "order", Label: "Which of its orders (may be left out if only one is open)", Kind: "text", Value: r.FormValue("order")})
	}
	if action.Do == "placed" {
		fields = append(fields, field{Name: "order_ids", Label: "Order numbers at 1688", Help: "Several with blanks between them.", Kind: "text", Value: r.FormValue("order_ids"), Required: true})
	}
	return append(fields, field{Name: "force", Label: "Also if 1688’s list says otherwise", Kind: "check", Value: r.FormValue("force")})
}

// changeRequests does what was confirmed.
func (d *Dashboard) changeRequests(w http.ResponseWriter, r *http.Request) {
	change := RequestChange{
		Do: r.PostFormValue("do"), Order: strings.TrimSpace(r.PostFormValue("order")), OrderIDs: strings.Fields(r.PostFormValue("order_ids")),
		Force: r.PostFormValue("force") == "yes", Signed: signed(r),
	}
	for _, name := range r.PostForm["pick"] {
		tenant, id := unpick(name)
		change.Requests = append(change.Requests, RequestName{tenant, id})
	}
	if _, known := requestActionNamed(change.Do); !known || len(change.Requests) == 0 || len(change.Requests) > perPage {
		d.fail(w, r, http.StatusUnprocessableEntity, "Pick 1 to 50 requests, and what is to be done with them.")
		return
	}
	if change.Do == "placed" && (len(change.OrderIDs) == 0 || len(change.Requests) > 1) {
		d.confirmRequests(w, r, http.StatusUnprocessableEntity, "Order numbers at 1688: must be given, for one request at a time.")
		return
	}
	said, err := d.config.Desk.ChangeRequests(r.Context(), change)
	if err != nil {
		d.changed()
		d.confirmRequests(w, r, http.StatusUnprocessableEntity, strings.TrimSpace(fmt.Sprint(said, " ", err)))
		return
	}
	back := "/requests"
	if len(change.Requests) == 1 {
		back = lifePath(change.Requests[0].Tenant, change.Requests[0].ID)
	}
	d.done(w, r, back, said)
}
