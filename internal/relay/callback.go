package relay

import (
	"context"
	"html/template"
	"net/http"
	"time"

	"autopurchase/worker"
)

// CallbackPath is where a relay takes what 1688 sends a browser back with, once a buyer has consented.
const CallbackPath = "/oauth/callback"

// callbackWait bounds the exchange while a browser waits.
const callbackWait = 30 * time.Second

// page is all that the browser gets to see. What the address held is not repeated.
var page = template.Must(template.New("callback").Parse(`<!doctype html>
<meta charset="utf-8"><title>autopurchase</title>
<p>{{if .Good}}The app key is authorized{{with .Accounts}} by {{range $i, $a := .}}{{if $i}} / {{end}}{{$a}}{{end}}{{end}}. This page may be closed.
{{else}}The app key is not authorized: {{.Reason}}.{{end}}</p>
`))

// Callback serves CallbackPath: it takes code and state and ends the authorization that the state belongs to.
func (r *Relay) Callback() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		ctx, cancel := context.WithTimeout(request.Context(), callbackWait)
		defer cancel()
		answer := r.returned(ctx, request)
		good := answer.Verdict == worker.Placed
		shown := struct {
			Good     bool
			Accounts []string
			Reason   string
		}{Good: good, Reason: answer.Reason}
		if answer.Proof != nil {
			shown.Accounts = answer.Proof.Accounts
		}
		header := w.Header()
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", "default-src 'none'")
		header.Set("Cache-Control", "no-store")
		header.Set("Referrer-Policy", "no-referrer") // the address holds the code
		if !good {
			w.WriteHeader(http.StatusBadRequest)
		}
		_ = page.Execute(w, shown) // the browser may be gone
	})
}

func (r *Relay) returned(ctx context.Context, request *http.Request) worker.Answer {
	query := request.URL.Query()
	a := worker.Authorization{Code: query.Get("code"), State: query.Get("state")}
	if a.Code == "" || len(a.Code) > 1024 || len(a.State) > 4096 {
		return refused("1688 sent no code back: the account did not consent, or the address is wrong")
	}
	return r.finish(ctx, a)
}
