package keypool

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"autopurchase/worker"
)

const (
	printA = "aaaa-aaaa-aaaa-aaaa"
	printB = "bbbb-bbbb-bbbb-bbbb"
)

func secretOf(text string) Sealed { return Sealed{Text: text, Fingerprint: printA} }

func sealSecret(t *testing.T, p *Pool, appKey string, s Sealed, c Change) int64 {
	t.Helper()
	number, err := p.SealSecret(t.Context(), "default", appKey, s, c)
	if err != nil {
		t.Fatalf("seal secret: %v", err)
	}
	return number
}

func sealTokens(t *testing.T, p *Pool, appKey string, s Sealed) int64 {
	t.Helper()
	number, err := p.SealTokens(t.Context(), "default", appKey, s, Change{By: "relay"})
	if err != nil {
		t.Fatalf("seal tokens: %v", err)
	}
	return number
}

func keptOf(t *testing.T, p *Pool, appKey string) Kept {
	t.Helper()
	all, err := p.Kept(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range all {
		if kept.AppKey == appKey {
			return kept
		}
	}
	t.Fatalf("nothing of %s", appKey)
	return Kept{}
}

func TestWhatIsSealedIsKeptAndOnRecord(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		before := keys(t, p, "default")[0].Version
		first := sealSecret(t, p, "k1", secretOf("one"), Change{By: "li", Why: "new", ID: "m1"})
		if again := sealSecret(t, p, "k1", secretOf("one"), Change{By: "li", Why: "new", ID: "m1"}); again != first {
			t.Errorf("the same message: %d, then %d", first, again)
		}
		second := sealSecret(t, p, "k1", Sealed{Text: "two", Fingerprint: printB}, Change{By: "li"})
		if again := sealSecret(t, p, "k1", secretOf("one"), Change{By: "li", Why: "new", ID: "m1"}); again != second {
			t.Errorf("a late repeat of the first message changed it: %d", again)
		}
		ends := time.UnixMilli(1800000000000).UTC()
		tokens := sealTokens(t, p, "k1", Sealed{Text: "three", Fingerprint: printA, Ends: ends})
		want := Kept{
			Pool: "default", AppKey: "k1", Source: "own", Secret: Sealed{"two", second, printB, time.Time{}}, Tokens: Sealed{"three", tokens, printA, ends},
		}
		if diff := cmp.Diff(want, keptOf(t, p, "k1")); diff != "" {
			t.Error(diff)
		}
		if other := keptOf(t, p, "k2"); other.Secret.Text != "" || other.Tokens.Number != 0 {
			t.Errorf("the other key has %+v", other)
		}
		if info := keys(t, p, "default")[0]; info.Fingerprint != printB || info.Version != before+2 {
			t.Errorf("shown: %+v", info)
		}
		events, _ := p.Events(t.Context(), "default")
		last := events[len(events)-3:]
		if last[0].Kind != worker.EventSecret || last[0].Sealed != "one" || last[0].Print != printA || last[0].By != "li" || last[0].Why != "new" || last[0].Change != "m1" {
			t.Errorf("event %+v", last[0])
		}
		if last[2].Kind != worker.EventTokens || last[2].Sealed != "three" || last[2].Ends != ends.UnixMilli() || last[2].By != "relay" {
			t.Errorf("event %+v", last[2])
		}
	})
}

// An access token can be had again as long as there is the refresh token: only a new one of these is on record.
func TestAccessTokensAreNotOnRecord(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		numbers := []int64{
			sealTokens(t, p, "k1", secretOf("a")), sealTokens(t, p, "k1", secretOf("b")), sealTokens(t, p, "k1", secretOf("c")),
			sealTokens(t, p, "k1", Sealed{Text: "d", Fingerprint: printB}), sealTokens(t, p, "k1", Sealed{Text: "e", Fingerprint: printB}),
		}
		if !slices.IsSorted(numbers) || len(slices.Compact(slices.Clone(numbers))) != len(numbers) {
			t.Errorf("numbers %v", numbers)
		}
		if got := keptOf(t, p, "k1").Tokens; got.Text != "e" || got.Number != numbers[4] {
			t.Errorf("kept %+v", got)
		}
		recorded := slices.DeleteFunc(kinds(t, p, "default"), func(kind string) bool { return kind != "tokens k1" })
		if len(recorded) != 2 {
			t.Errorf("%d events", len(recorded))
		}
	})
}

func TestSealingIsDenied(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		add(t, p, Key{Pool: "default", AppKey: "managed", Source: "managed"})
		seal := func(appKey string, c Change) error {
			_, err := p.SealSecret(t.Context(), "default", appKey, secretOf("x"), c)
			return err
		}
		wantDenied(t, seal("nobody", Change{}), worker.DenyUnknownKey, "app_key")
		wantDenied(t, seal("managed", Change{}), worker.DenyState, "app_key")
		sealTokens(t, p, "managed", secretOf("x")) // its tokens are shared like all others
		sealSecret(t, p, "k1", secretOf("x"), Change{Version: 1, ID: "m"})
		wantDenied(t, seal("k2", Change{ID: "m"}), worker.DenyReused, "Nats-Msg-Id")
		_, err := p.SealSecret(t.Context(), "default", "k1", secretOf("y"), Change{Version: 1})
		wantDenied(t, err, worker.DenyStale, "version")
		if _, err := p.Alter(t.Context(), "default", "k2", Remove, Change{}); err != nil {
			t.Fatal(err)
		}
		wantDenied(t, seal("k2", Change{}), worker.DenyUnknownKey, "app_key")
		for field, bad := range map[string]Sealed{
			"secret": {Text: "a b", Fingerprint: printA}, "fingerprint": {Text: "x"},
		} {
			if _, err := p.SealSecret(t.Context(), "default", "k1", bad, Change{}); err == nil || !strings.HasPrefix(err.Error(), field+":") {
				t.Errorf("%s: %v", field, err)
			}
		}
		if _, err := p.SealTokens(t.Context(), "default", "k1", secretOf(strings.Repeat("x", maxSealed+1)), Change{}); err == nil {
			t.Error("an endless text was taken")
		}
	})
}

func TestOneHolderHasTheTurn(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		sealTokens(t, p, "k1", secretOf("x"))
		lease := func(appKey, holder string, longest time.Duration) bool {
			t.Helper()
			now, mine, err := p.Lease(t.Context(), "default", appKey, holder, longest)
			if err != nil || now.AppKey != appKey || appKey == "k1" && now.Tokens.Text != "x" {
				t.Fatalf("%+v, %v", now, err)
			}
			return mine
		}
		release := func(holder string) {
			t.Helper()
			if err := p.Release(t.Context(), "default", "k1", holder); err != nil {
				t.Fatal(err)
			}
		}
		if !lease("k1", "a", time.Hour) || lease("k1", "b", time.Hour) || !lease("k1", "a", time.Hour) || !lease("k2", "b", time.Hour) {
			t.Error("not one holder for each key")
		}
		release("b")
		if lease("k1", "b", time.Hour) {
			t.Error("one holder ended another's turn")
		}
		release("a")
		if !lease("k1", "b", 50*time.Millisecond) {
			t.Error("a turn that was ended goes on")
		}
		late := time.After(5 * time.Second)
		for !lease("k1", "a", time.Hour) {
			select {
			case <-late:
				t.Fatal("the turn of a holder who has died never ends")
			case <-time.After(10 * time.Millisecond):
			}
		}
		_, _, err := p.Lease(t.Context(), "default", "nobody", "a", time.Hour)
		wantDenied(t, err, worker.DenyUnknownKey, "app_key")
	})
}

func TestAnEndIsToldOnce(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		ends := time.UnixMilli(1800000000000)
		for _, why := range []string{"within 30 days", "within 30 days", "within 14 days", "within 14 days"} {
			if err := p.Ending(t.Context(), "default", "k1", ends, why); err != nil {
				t.Fatal(err)
			}
		}
		events, _ := p.Events(t.Context(), "default")
		events = slices.DeleteFunc(events, func(e worker.PoolEvent) bool { return e.Kind != worker.EventEnding })
		if len(events) != 2 || events[0].Ends != ends.UnixMilli() || events[0].Why != "within 30 days" || events[1].Why != "within 14 days" || events[0].AppKey != "k1" {
			t.Errorf("events %+v", events)
		}
		wantDenied(t, p.Ending(t.Context(), "default", "nobody", ends, ""), worker.DenyUnknownKey, "app_key")
	})
}

// A Redis that lost everything, or stepped back, has all that is sealed again, to the byte.
func TestWhatIsSealedIsRebuilt(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		client, name, h := raw(t, p), namesOf("default").sealed, &stored{}
		for _, text := range []string{"one", "two"} {
			sealSecret(t, p, "k1", Sealed{Text: text, Fingerprint: printB}, Change{By: "li"})
			sealTokens(t, p, "k2", Sealed{Text: text, Fingerprint: "print-" + text, Ends: time.UnixMilli(1800000000000)})
		}
		if err := p.Ending(t.Context(), "default", "k2", time.UnixMilli(1800000000000), "within 30 days"); err != nil {
			t.Fatal(err)
		}
		h.flushed(t, p)
		want, shown := client.HGetAll(t.Context(), name).Val(), keys(t, p, "default")
		if len(want) != 3 {
			t.Fatalf("kept %v", want)
		}
		client.FlushAll(t.Context())
		rebuild(t, p, h)
		if diff := cmp.Diff(want, client.HGetAll(t.Context(), name).Val()); diff != "" {
			t.Error(diff)
		}
		if got := keys(t, p, "default")[0].Fingerprint; got != shown[0].Fingerprint || got != printB {
			t.Errorf("fingerprint %q", got)
		}
		client.HSet(t.Context(), name, "k1.secret", "1 0 "+printA+" one", "k2.tokens", "999 0 "+printA+" newer")
		client.HDel(t.Context(), namesOf("default").pool, "born")
		rebuild(t, p, h)
		if got := keptOf(t, p, "k1").Secret.Text; got != "two" {
			t.Errorf("an older secret stayed: %s", got)
		}
		if got := keptOf(t, p, "k2").Tokens.Text; got != "newer" {
			t.Errorf("what the journal does not have yet was overwritten by %s", got)
		}
	})
}

// A guest, such as a relay, changes nothing in a Redis that is not verified, and goes on when others have verified it.
func TestAGuestWaitsForOthersToVerify(t *testing.T) {
	p, s := watchedPool(t)
	s.flushed(t, p)
	guest := open(t, p.config.URL, func(c *Config) { c.Guest = true })
	sealTokens(t, guest, "k1", secretOf("x"))
	raw(t, p).HSet(t.Context(), namesOf("default").pool, "server", "another")
	_, err := guest.SealTokens(t.Context(), "default", "k1", secretOf("y"), Change{})
	wantCode(t, err, worker.CodeRedisDown)
	_, _, err = guest.Lease(t.Context(), "default", "k1", "a", time.Hour)
	wantCode(t, err, worker.CodeRedisDown)
	_, err = guest.Kept(t.Context(), "default")
	wantCode(t, err, worker.CodeRedisDown)
	s.flushed(t, p)
	rebuild(t, p, s)
	sealTokens(t, guest, "k1", secretOf("y"))
	if got := keptOf(t, guest, "k1").Tokens.Text; got != "y" {
		t.Errorf("kept %q", got)
	}
}
