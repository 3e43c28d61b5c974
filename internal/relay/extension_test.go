package relay

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/alibaba"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

func TestAlarms(t *testing.T) {
	now := time.Now()
	for left, want := range map[time.Duration]int{
		31 * day: 0, 30 * day: 30, 15 * day: 30, 14 * day: 14, 8 * day: 14, 7 * day: 7, 2 * day: 7, day: 1, time.Hour: 1, -day: 1,
	} {
		if got := alarmDays(now.Add(left), now); got != want {
			t.Errorf("%v left: %d, want %d", left, got, want)
		}
	}
	if got := alarmDays(time.Time{}, now); got != 0 {
		t.Errorf("end not known: %d", got)
	}
}

func TestARefreshTokenIsExtended(t *testing.T) {
	_, r := bare(t, func(c *sim1688.Config) { c.RefreshLife = 20 * day })
	first := r.Authorize(t.Context(), coded(begin(t, r, ""))).Proof
	if first == nil || first.Alarm != 30 {
		t.Fatalf("proof %+v", first)
	}
	r.tendOnce(t.Context(), map[string]*upkeep{}, time.Now())
	if second := r.passes(t, worker.CheckToken).Proof; second.Fingerprint == first.Fingerprint || second.Ends <= first.Ends {
		t.Errorf("was %+v, is %+v", first, second)
	}
}

// TestAnAlarmIsToldOnce lets the end come nearer, with a platform that extends nothing.
func TestAnAlarmIsToldOnce(t *testing.T) {
	sim := simulator(t)
	var said bytes.Buffer
	r := relayTo(t, sim.GatewayURL(), func(c *Config) { c.Log = zerolog.New(&said) })
	now := time.Now()
	ends := now.Add(40 * day)
	r.passes(t, worker.CheckToken)
	key := r.keys[testKey.AppKey]
	token := key.current()
	key.keep(alibaba.Token{AccessToken: token.AccessToken, RefreshToken: token.RefreshToken, Expires: token.Expires, RefreshEnds: ends})
	cared := map[string]*upkeep{}
	for left := 40 * day; left > 0; left -= 6 * time.Hour {
		r.tendOnce(t.Context(), cared, ends.Add(-left))
	}
	for _, days := range []int{30, 14, 7, 1} {
		if n := strings.Count(said.String(), fmt.Sprintf(`"days":%d,`, days)); n != 1 {
			t.Errorf("%d days: told %d times", days, n)
		}
	}
	if !strings.Contains(said.String(), "refresh token cannot be extended") || strings.Contains(said.String(), "MARKER") {
		t.Errorf("log: %s", said.String())
	}
}
