package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// private is everything that must not be seen outside: the key's secrets, and the buyer.
var private = []string{"MARKER", "张三三", "13800138000", "陕西南路1号"}

// record keeps what was said, from many goroutines.
type record struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (r *record) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.Write(line)
}

func (r *record) check(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said.Len() == 0 {
		t.Error("nothing was recorded: the test proves nothing")
	}
	for _, value := range private {
		if strings.Contains(r.said.String(), value) {
			t.Errorf("%q is in: %s", value, r.said.String())
		}
	}
}

// A platform that repeats all it was sent in every way it can fail, to a relay that logs everything.
func TestNothingPrivateIsSaid(t *testing.T) {
	var said record
	for _, status := range []int{200, 400, 502} {
		for _, shape := range []string{
			`{"error_code":"401","error_message":"%s"}`, `{"error_code":"gw.SignatureInvalid","error_message":"%s"}`,
			`{"error":"invalid_grant","error_description":"%s"}`, `{"error_code":"%s"}`,
			`{"success":false,"code":"500_004","message":"%s"}`, `{"success":false,"code":"%s"}`, `{"success":true,"message":"%s"}`,
			`{"success":false,"errorMsg":"%s","orderId":"11"}`, `<html>%s`, `{"result":[],"totalRecord":0,"message":"%s"}`,
			`{"success":false,"result":{"failedOfferList":[{"offerId":"1","errorCode":"X","errorMessage":"%s"}]}}`,
		} {
			r := relayTo(t, gateway(t, echo(status, shape)), func(c *Config) {
				c.Log = zerolog.New(&said).Level(zerolog.TraceLevel)
				c.Keys[0].AccessToken = "MARKER-token"
			})
			_, _ = fmt.Fprintf(&said, "%+v\n%+v\n%+v\n", r.Place(t.Context(), order(reference)),
				r.Find(t.Context(), testKey.AppKey, reference), r.Probe(t.Context(), testKey.AppKey))
			_, _, err := r.reference(t.Context(), r.keys[testKey.AppKey], "11")
			_, _ = fmt.Fprintf(&said, "%v %+v %#v\n", err, r.config, r.config.Keys)
		}
	}
	said.check(t)
}

// echo answers with the values it was sent.
func echo(status int, shape string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		sent := new(strings.Builder)
		for _, values := range form {
			sent.WriteString(strings.Join(values, " ") + " ")
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, shape, strings.NewReplacer(`"`, " ", `\`, " ").Replace(sent.String()))
	}
}

// The message session's failures are logged too, and they say nothing private either.
func TestSessionsSayNothingPrivate(t *testing.T) {
	var said record
	sim := simulator(t)
	failed := make(chan bool, 16)
	r := relayTo(t, sim.GatewayURL(), func(c *Config) {
		c.Log = zerolog.New(&said)
		c.Messages = sim.MessagesURL()
		c.OnPush = func(context.Context, worker.Push) error {
			failed <- true
			return errors.New("no worker is connected")
		}
	})
	if got := r.Place(t.Context(), order(reference)); got.Verdict != worker.Placed {
		t.Fatalf("got %+v", got)
	}
	if err := sim.Inject(sim1688.Fault{Operation: "*", Kind: "auth_401"}); err != nil {
		t.Fatal(err)
	}
	running(t, r)
	within(t, failed)
	within(t, failed) // the first is logged by now
	said.check(t)
}

// The same platform, to relays with sealed keys whose vault fails in every way: nothing private is said, and what is kept is sealed.
func TestNothingPrivateIsSaidOfSealedKeys(t *testing.T) {
	var said record
	identity, other := ring(t), ring(t)
	for name, c := range map[string]struct {
		kept Kept
		away error
	}{
		"good":              {keptKey(t, identity), nil},
		"away":              {keptKey(t, identity), errors.New("away")},
		"sealed for others": {Kept{Pool: "default", AppKey: testKey.AppKey, Secret: sealed(t, testKey.Secret, 1, other), Tokens: sealed(t, "x", 2, other)}, nil},
		"not sealed":        {Kept{Pool: "default", AppKey: testKey.AppKey, Secret: Sealed{Text: testKey.Secret, Number: 1}, Tokens: Sealed{Text: testKey.RefreshToken, Number: 2}}, nil},
		"not clean":         {Kept{Pool: "default", AppKey: testKey.AppKey, Secret: sealed(t, "MARK\u200bER", 1, identity), Tokens: sealed(t, "MARKER", 2, identity)}, nil},
	} {
		for _, shape := range []string{`{"error":"invalid_grant","error_description":"%s"}`, `{"access_token":"MARKER-a","expires_in":"1"}%.0s`, `<html>%s`} {
			vault := newMemory(c.kept)
			r := sharing(t, gateway(t, echo(200, shape)), vault, identity, func(config *Config) {
				config.Log = zerolog.New(&said).Level(zerolog.TraceLevel)
			})
			_ = r.look(t.Context())
			vault.fail(c.away)
			_, _ = fmt.Fprintf(&said, "%s: %+v\n%+v\n", name, r.Place(t.Context(), order(reference)), r.Probe(t.Context(), testKey.AppKey))
			if c.away == nil {
				r.tendOnce(t.Context(), map[string]*upkeep{}, time.Now())
			}
			_, _ = fmt.Fprintf(&said, "%+v %#v %+v %v\n", r.config.Identities, r.config.Identities, Tokens{RefreshToken: "MARKER"}, Tokens{AccessToken: "MARKER"})
			if kept := vault.get(testKey.AppKey); name != "not sealed" {
				_, _ = fmt.Fprintf(&said, "%+v\n", kept)
			}
		}
	}
	said.check(t)
}
