package relay

import (
	"slices"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/alibaba"
	"autopurchase/internal/seal"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// bare is an app as a person has just made it on the platform: nobody has authorized it.
func bare(t *testing.T, change func(*sim1688.Config)) (*sim1688.Sim, *Relay) {
	t.Helper()
	config := sim1688.Config{Keys: []sim1688.Key{{AppKey: simKey.AppKey, Secret: simKey.Secret, Member: "buyer-1"}}}
	if change != nil {
		change(&config)
	}
	sim, err := sim1688.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	return sim, relayTo(t, sim.GatewayURL(), func(c *Config) {
		c.Keys = []Key{{AppKey: simKey.AppKey, Secret: simKey.Secret}}
		c.Authorize, c.Callback = sim.GatewayURL()+"/oauth/authorize", "https://relay.example"+CallbackPath
		c.Messages, c.OnPush = sim.MessagesURL(), nowhere
	})
}

func (r *Relay) passes(t *testing.T, what worker.Check) worker.Answer {
	t.Helper()
	answer := r.Check(t.Context(), testKey.AppKey, what)
	if answer.Verdict != worker.Placed {
		t.Errorf("%s: %+v", what, answer)
	}
	return answer
}

func (r *Relay) fails(t *testing.T, what worker.Check, verdict worker.Verdict, reason string) {
	t.Helper()
	answer := r.Check(t.Context(), testKey.AppKey, what)
	if answer.Verdict != verdict || !strings.Contains(answer.Reason, reason) {
		t.Errorf("%s: %+v, want %s: %s", what, answer, verdict, reason)
	}
}

func TestWhatAnAuthorizedKeyProves(t *testing.T) {
	sim := simulator(t)
	r := relayTo(t, sim.GatewayURL(), nil)
	r.passes(t, worker.CheckTime)
	r.passes(t, worker.CheckPreview)
	proof := r.passes(t, worker.CheckToken).Proof
	if proof == nil || !slices.Contains(proof.Accounts, simKey.Member) || proof.Fingerprint != seal.Fingerprint(simKey.RefreshToken) {
		t.Errorf("proof %+v", proof)
	}
	r.fails(t, worker.CheckAgreement, worker.Refused, "not signed")
	sim.SetAgreement(simKey.Member, true)
	r.passes(t, worker.CheckAgreement)
	r.fails(t, worker.CheckConnect, worker.NotAttempted, "no message sessions")
	r.fails(t, "luck", worker.NotAttempted, "does not know the check")
}

func TestWhatABareKeyProves(t *testing.T) {
	_, r := bare(t, func(c *sim1688.Config) { c.Keys[0].APIs = []string{"currentTime"} })
	r.passes(t, worker.CheckTime)
	for _, what := range []worker.Check{worker.CheckToken, worker.CheckPreview, worker.CheckAgreement} {
		r.fails(t, what, worker.Refused, "no refresh token")
	}
	r.keys[testKey.AppKey].keep(alibaba.Token{RefreshToken: "made up"})
	r.fails(t, worker.CheckToken, worker.Refused, "401")
	if answer := r.Check(t.Context(), "nobody", worker.CheckToken); answer.Code != worker.CodeKeyUnknown {
		t.Errorf("got %+v", answer)
	}
}

func TestAnAppThatMayNotOrder(t *testing.T) {
	sim, err := sim1688.Start(t.Context(), sim1688.Config{Keys: []sim1688.Key{
		{AppKey: simKey.AppKey, Secret: simKey.Secret, RefreshToken: simKey.RefreshToken, APIs: []string{"alibaba.trade.cancel"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	r := relayTo(t, sim.GatewayURL(), nil)
	r.fails(t, worker.CheckPreview, worker.Refused, "gw.APIACLDecline")
	r.fails(t, worker.CheckAgreement, worker.Refused, "gw.APIACLDecline")
}

func TestWhatTheMessageSessionProves(t *testing.T) {
	sim, r := bare(t, func(c *sim1688.Config) { c.Keys[0].NoMessages = true })
	r.fails(t, worker.CheckConnect, worker.Refused, "not acknowledged the key yet")
	running(t, r)
	soon(t, func() bool {
		return strings.Contains(r.Check(t.Context(), testKey.AppKey, worker.CheckConnect).Reason, "did not choose the websocket")
	})
	sim.Reset() // leaves sessions and permissions alone
	r.fails(t, worker.CheckPush, worker.Refused, "no test push")

	other, r := bare(t, nil)
	running(t, r)
	soon(t, func() bool { return r.Check(t.Context(), testKey.AppKey, worker.CheckConnect).Verdict == worker.Placed })
	other.PushMock(testKey.AppKey, "ORDER_BUYER_VIEW_ORDER_PAY", map[string]any{})
	soon(t, func() bool { return r.Check(t.Context(), testKey.AppKey, worker.CheckPush).Verdict == worker.Placed })
	if proof := r.passes(t, worker.CheckPush).Proof; proof == nil || !slices.Equal(proof.Topics, []string{"ORDER_BUYER_VIEW_ORDER_PAY"}) {
		t.Errorf("proof %+v", proof)
	}
}

// soon waits for something that another goroutine does.
func soon(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("not within ten seconds")
		}
	}
}
