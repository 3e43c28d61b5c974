package relay

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"autopurchase/worker"
)

// issuer is a gateway whose refresh tokens are good once, and that takes the latest access token alone.
type issuer struct {
	t         *testing.T
	life      string        // of a token, in seconds
	hold      chan struct{} // refreshes wait for it, if it is there
	mu        sync.Mutex
	issued    int
	refreshes atomic.Int32
	creates   atomic.Int32
	used      map[string]bool
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		i.t.Error(err)
	}
	if strings.Contains(r.URL.Path, "getToken") {
		i.refresh(w, r.PostForm.Get("refresh_token"))
		return
	}
	i.mu.Lock()
	good := r.PostForm.Get("access_token") == fmt.Sprintf("a%d", i.issued)
	i.mu.Unlock()
	if !good {
		_, _ = io.WriteString(w, `{"error_code":"401","error_message":"MARKER-refresh"}`)
		return
	}
	_, _ = fmt.Fprintf(w, `{"success":true,"result":{"orderId":"%d"}}`, i.creates.Add(1))
}

func (i *issuer) refresh(w http.ResponseWriter, token string) {
	i.refreshes.Add(1)
	if i.hold != nil {
		<-i.hold
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.used == nil {
		i.used = map[string]bool{}
	}
	want := "MARKER-refresh"
	if i.issued > 0 {
		want = fmt.Sprintf("r%d", i.issued)
	}
	if token != want || i.used[token] {
		i.t.Errorf("refresh token used twice, or never issued")
		_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
		return
	}
	i.used[token] = true
	i.issued++
	_, _ = fmt.Fprintf(w, `{"access_token":"a%d","refresh_token":"r%d","expires_in":"%s"}`, i.issued, i.issued, i.life)
}

// Twenty workers meet a missing, and then a rejected token: each time it is refreshed once, and every order is placed once.
func TestOneRefreshForAll(t *testing.T) {
	platform := &issuer{t: t, life: "36000"}
	r := relayTo(t, gateway(t, platform.ServeHTTP), nil)
	for round, refreshes := range []int32{1, 2} {
		var workers sync.WaitGroup
		for n := range 20 {
			workers.Go(func() {
				got := r.Place(t.Context(), order(fmt.Sprintf("acme.PR-%d-%d", round, n+1)))
				if got.Verdict != worker.Placed {
					t.Errorf("got %+v", got)
				}
			})
		}
		workers.Wait()
		if n := platform.refreshes.Load(); n != refreshes {
			t.Errorf("round %d: %d refreshes", round, n)
		}
		if n := platform.creates.Load(); n != 20*int32(round+1) {
			t.Errorf("round %d: %d orders", round, n)
		}
		r.keys[testKey.AppKey].token.AccessToken = "expired"
	}
}

func TestTokenIsRefreshedAheadOfItsEnd(t *testing.T) {
	platform := &issuer{t: t, life: "36000"}
	r := relayTo(t, gateway(t, platform.ServeHTTP), nil)
	holder := r.keys[testKey.AppKey]
	r.Place(t.Context(), order("acme.PR-1-1"))
	if left := time.Until(holder.renew); left < 9*time.Hour+50*time.Minute-time.Second || left > 9*time.Hour+55*time.Minute {
		t.Errorf("to be refreshed in %v", left)
	}
	holder.renew = time.Now().Add(-time.Second)
	if got := r.Place(t.Context(), order("acme.PR-2-1")); got.Verdict != worker.Placed || platform.refreshes.Load() != 2 {
		t.Errorf("got %+v after %d refreshes", got, platform.refreshes.Load())
	}
}

func TestShortTokensAreNotRefreshedForEachCall(t *testing.T) {
	for life, want := range map[time.Duration]time.Duration{
		time.Second: 100 * time.Millisecond, time.Minute: 6 * time.Second, 10 * time.Hour: 5 * time.Minute,
	} {
		if got := early(life); got != want {
			t.Errorf("%v: got %v, want %v", life, got, want)
		}
	}
}

// A token that is still good serves on while the platform's authorization is out of order, and is not asked for each time.
func TestGoodTokenOutlivesAFailedRefresh(t *testing.T) {
	var refreshes atomic.Int32
	url := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "getToken") {
			refreshes.Add(1)
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `{"success":true,"result":{"orderId":"1"}}`)
	})
	r := relayTo(t, url, func(c *Config) { c.Keys[0].AccessToken = "a" })
	holder := r.keys[testKey.AppKey]
	holder.renew, holder.token.Expires = time.Now().Add(-time.Second), time.Now().Add(time.Hour)
	for range 3 {
		if got := r.Place(t.Context(), order(reference)); got.Verdict != worker.Placed {
			t.Fatalf("got %+v", got)
		}
	}
	if n := refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	holder.renew, holder.token.Expires = time.Now().Add(-time.Second), time.Now().Add(-time.Millisecond)
	if got := r.Place(t.Context(), order(reference)); got.Verdict != worker.NotAttempted || got.Code != worker.CodeChannelDown {
		t.Errorf("got %+v", got)
	}
}

// The caller's deadline ends its wait for a refresh, and the others' refresh goes on.
func TestDeadlineDuringARefresh(t *testing.T) {
	platform := &issuer{t: t, life: "36000", hold: make(chan struct{})}
	r := relayTo(t, gateway(t, platform.ServeHTTP), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got := r.Place(ctx, order("acme.PR-1-1")); got.Verdict != worker.NotAttempted || got.Code != worker.CodeChannelDown {
		t.Errorf("got %+v", got)
	}
	close(platform.hold)
	if got := r.Place(t.Context(), order("acme.PR-2-1")); got.Verdict != worker.Placed {
		t.Errorf("got %+v", got)
	}
	if n := platform.refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		holder := newKeyholder(testKey, nil, Config{PerKey: 10})
		began := time.Now()
		for range 30 {
			if err := holder.pace(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 1900*time.Millisecond || took > 2100*time.Millisecond {
			t.Errorf("30 calls at 10/s after a burst of 10 took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		defer cancel()
		before := time.Now()
		trouble := worker.AsTrouble(holder.pace(ctx, 2))
		if trouble.Code != worker.CodeThrottled || trouble.After < 150*time.Millisecond || time.Since(before) != 0 {
			t.Errorf("got %+v after %v", trouble, time.Since(before))
		}
		if answer := notAttempted(trouble); answer.Verdict != worker.NotAttempted || answer.Retry < 150 {
			t.Errorf("got %+v", answer)
		}
		if err := holder.pace(ctx, 1); err != nil {
			t.Errorf("a turn that was given back is lost: %v", err)
		}
	})
}

func TestNoPaceIsNoBound(t *testing.T) {
	holder := newKeyholder(testKey, nil, Config{})
	for range 10_000 {
		if err := holder.pace(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
	}
}
