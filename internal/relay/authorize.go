package relay

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"autopurchase/internal/alibaba"
	"autopurchase/worker"
)

// Authorize lets a buyer account authorize an app key, in two steps. Without a code it gives the address to open, and the state
// that must come back. With a code and the state it trades the code for tokens and keeps them. A state is good once and for
// ticketLife.
//
//	key not known, no redirect address          not attempted
//	state wrong, old, used or of another key    refused, nothing is asked of 1688
//	1688 turns the code down                    refused
//	no answer                                   not attempted: the code may be used up, so begin again
//	another account than the declared one,      refused: the tokens of the declared one stay
//	which authorized it before
func (r *Relay) Authorize(ctx context.Context, a worker.Authorization) worker.Answer {
	if a.Code == "" {
		return r.begin(ctx, a)
	}
	return r.finish(ctx, a)
}

func (r *Relay) begin(ctx context.Context, a worker.Authorization) worker.Answer {
	key, err := r.key(ctx, a.AppKey)
	if err != nil {
		return notAttempted(err)
	}
	redirect := cmp.Or(a.RedirectURI, r.config.Callback)
	if problem := checkRedirect(redirect); problem != "" {
		return notAttempted(&worker.Trouble{Code: worker.CodeInvalid, Reason: "redirect_uri: " + problem})
	}
	if strings.ContainsAny(a.Account, "\n") {
		return notAttempted(&worker.Trouble{Code: worker.CodeInvalid, Reason: "account: must be one line"})
	}
	state := newTicket(a.AppKey, a.Account, redirect, time.Now()).state(key.credentials().Secret)
	answer := passed("open the address as the buyer")
	answer.Proof = &worker.Proof{
		State: state, Address: alibaba.AuthorizeURL(cmp.Or(r.config.Authorize, alibaba.DefaultAuthorize), a.AppKey, redirect, state),
	}
	return answer
}

func checkRedirect(redirect string) string {
	u, err := url.Parse(redirect)
	switch {
	case redirect == "":
		return "must be given: this relay has no callback address"
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(redirect, " \n"):
		return "must be a http or https address"
	}
	return ""
}

func (r *Relay) finish(ctx context.Context, a worker.Authorization) worker.Answer {
	now := time.Now()
	t, err := readTicket(a.State, now, func(appKey string) string { return r.secretOf(ctx, appKey) })
	switch {
	case err != nil:
		return refused(err.Error())
	case a.AppKey != "" && a.AppKey != t.appKey:
		return refused("the state is that of another app key")
	case !r.tickets.punch(t, now):
		return refused("the state was used before: begin again")
	}
	key, err := r.key(ctx, t.appKey)
	if err == nil {
		err = key.pace(ctx, 1)
	}
	if err != nil {
		return notAttempted(err)
	}
	token, err := r.client.Exchange(ctx, key.credentials(), a.Code, t.redirect)
	if err != nil {
		key.log.Warn().Err(err).Msg("authorization code cannot be exchanged")
		return turnedDown(key.trouble(err))
	}
	if t.account != "" && key.current().Owner.Is(t.account) && !token.Owner.Is(t.account) {
		return refused("another account than " + t.account + " authorized it: its tokens stay as they were")
	}
	if err := key.adopt(ctx, token); err != nil {
		return notAttempted(err)
	}
	key.log.Info().Time("ends", token.RefreshEnds).Msg("app key authorized")
	answer := passed("the app key is authorized")
	answer.Proof = proofOf(token, now)
	return answer
}

// secretOf is "" for a key that this relay does not have.
func (r *Relay) secretOf(ctx context.Context, appKey string) string {
	key, err := r.key(ctx, appKey)
	if err != nil {
		return ""
	}
	return key.credentials().Secret
}
