package relay

import (
	"context"
	"time"

	"autopurchase/internal/alibaba"
	"autopurchase/internal/seal"
	"autopurchase/worker"
)

// Check finds out one thing about a key: Placed, without orders, means that it is so; Refused, that the platform says no, or
// that nothing was heard from it yet; NotAttempted, that it could not be asked.
//
//	time       currentTime is answered, which needs no token
//	connect    the message websocket acknowledged the key, since this relay started
//	push       a test push came, since this relay started
//	token      a token can be had; it tells the account, and when the refresh token ends
//	preview    the preview of an order is permitted
//	agreement  the account pays by Alipay without a password
func (r *Relay) Check(ctx context.Context, appKey string, what worker.Check) worker.Answer {
	if what == worker.CheckTime {
		return r.Probe(ctx, appKey)
	}
	key, err := r.key(ctx, appKey)
	if err != nil {
		return notAttempted(err)
	}
	switch what {
	case worker.CheckConnect, worker.CheckPush:
		return r.checkMessages(key, what)
	case worker.CheckToken:
		return checkToken(ctx, key)
	case worker.CheckPreview:
		return key.asked(ctx, "the app may preview orders; that it may place them as well, only an order shows", func(cred alibaba.Credentials) (string, error) {
			return "", r.client.Permitted(ctx, cred)
		})
	case worker.CheckAgreement:
		return key.asked(ctx, "the account pays by Alipay without a password", func(cred alibaba.Credentials) (string, error) {
			return r.client.Agreement(ctx, cred)
		})
	}
	return notAttempted(&worker.Trouble{Code: worker.CodeInternal, Reason: "this relay does not know the check"})
}

func (r *Relay) checkMessages(key *keyholder, what worker.Check) worker.Answer {
	if r.config.Messages == "" {
		return notAttempted(&worker.Trouble{Code: worker.CodeChannelDown, Reason: "this relay opens no message sessions"})
	}
	acked, why := key.heard.connected()
	topics := key.heard.tests()
	switch {
	case what == worker.CheckPush && len(topics) > 0:
		answer := passed("test pushes arrive")
		answer.Proof = &worker.Proof{Topics: topics}
		return answer
	case what == worker.CheckPush:
		return refused("no test push has come since this relay started")
	case acked:
		return passed("1688's message websocket takes the key")
	case why == "":
		return refused("1688's message websocket has not acknowledged the key yet")
	}
	return refused("1688's message websocket does not acknowledge the key: " + why)
}

// checkToken sees to it that there is a token and that it is known whose it is: a token that was given from outside does not say.
func checkToken(ctx context.Context, key *keyholder) worker.Answer {
	err := key.ready(ctx)
	if token := key.current(); err == nil && token.Owner == (alibaba.Owner{}) && token.RefreshToken != "" {
		err = key.refresh(ctx, token.AccessToken)
	}
	if err != nil {
		return turnedDown(err)
	}
	answer := passed("an access token could be had")
	answer.Proof = proofOf(key.current(), time.Now())
	return answer
}

// asked makes a call that says in its own words what is missing, "" if nothing is.
func (k *keyholder) asked(ctx context.Context, good string, call func(alibaba.Credentials) (missing string, err error)) worker.Answer {
	var missing string
	var failed error
	err := k.do(ctx, 1, func(cred alibaba.Credentials) bool {
		missing, failed = call(cred)
		return alibaba.IsTokenRejected(failed)
	})
	switch {
	case err != nil:
		return turnedDown(err)
	case failed != nil:
		return turnedDown(k.trouble(failed))
	case missing != "":
		return refused(missing)
	}
	return passed(good)
}

// Grant says until when the relay may act with an app key.
type Grant struct {
	AppKey  string
	Expires time.Time // of the access token; zero when not known
	Ends    time.Time // of the refresh token; zero when not known
	Heard   bool      // its message session is acknowledged
}

// Grants lists those of the keys that the relay has, in no particular order.
func (r *Relay) Grants() []Grant {
	var grants []Grant
	for _, key := range r.all() {
		token := key.current()
		acked, _ := key.heard.connected()
		grants = append(grants, Grant{AppKey: key.AppKey, Expires: token.Expires, Ends: token.RefreshEnds, Heard: acked})
	}
	return grants
}

func (k *keyholder) current() alibaba.Token {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.token
}

// proofOf tells what a token shows.
func proofOf(token alibaba.Token, now time.Time) *worker.Proof {
	proof := &worker.Proof{Accounts: token.Owner.Names(), Alarm: alarmDays(token.RefreshEnds, now)}
	if token.RefreshToken != "" {
		proof.Fingerprint = seal.Fingerprint(token.RefreshToken)
	}
	if !token.RefreshEnds.IsZero() {
		proof.Ends = token.RefreshEnds.UnixMilli()
	}
	return proof
}

func passed(reason string) worker.Answer {
	return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Reason: reason}
}

func refused(reason string) worker.Answer {
	return worker.Answer{Verdict: worker.Refused, Code: worker.CodeRefused, Reason: reason}
}

// turnedDown answers a check that got no further: refused, if the platform said no to the key.
func turnedDown(err error) worker.Answer {
	answer := notAttempted(err)
	if answer.Code == worker.CodeUnauthorized {
		answer.Verdict = worker.Refused
	}
	return answer
}
