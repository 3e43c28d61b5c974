package relay

import (
	"context"
	"net/http"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"autopurchase/worker"
)

// CallbackPath is where a relay takes what 1688 sends a browser back with, once a buyer has consented.
const CallbackPath = "/oauth/callback"

// callbackWait bounds the exchange while a browser waits.
const callbackWait = 30 * time.Second

// shown is all that the browser gets to see. What the address held is not repeated.
func shown(answer worker.Answer) g.Node {
	return h.Doctype(g.Group{h.Meta(h.Charset("utf-8")), h.TitleEl(g.Text("autopurchase")), h.P(g.Text(said(answer)))})
}

func said(answer worker.Answer) string {
	if answer.Verdict != worker.Placed {
		return "The app key is not authorized: " + answer.Reason + "."
	}
	by := ""
	if answer.Proof != nil && len(answer.Proof.Accounts) > 0 {
		by = " by " + strings.Join(answer.Proof.Accounts, " / ")
	}
	return "The app key is authorized" + by + ". This page may be closed."
}

// Callback serves CallbackPath: it takes code and state and ends the authorization that the state belongs to.
func (r *Relay) Callback() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		ctx, cancel := context.WithTimeout(request.Context(), callbackWait)
		defer cancel()
		answer := r.returned(ctx, request)
		header := w.Header()
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", "default-src 'none'")
		header.Set("Cache-Control", "no-store")
		header.Set("Referrer-Policy", "no-referrer") // the address holds the code
		if answer.Verdict != worker.Placed {
			w.WriteHeader(http.StatusBadRequest)
		}
		_ = shown(answer).Render(w) // the browser may be gone
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
