package relay

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/alibaba"
	"autopurchase/internal/seal"
	"autopurchase/worker"
)

// memory is a vault in memory, which can be made to fail and to forget.
type memory struct {
	mu     sync.Mutex
	kept   map[string]Kept
	leased map[string]bool
	number int64
	stored int
	away   error
}

func newMemory(keys ...Kept) *memory {
	s := &memory{kept: map[string]Kept{}, leased: map[string]bool{}, number: 100}
	for _, key := range keys {
		s.kept[key.AppKey] = key
	}
	return s
}

func (s *memory) Keys(context.Context) ([]Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Kept
	for _, key := range s.kept {
		all = append(all, key)
	}
	return all, s.away
}

func (s *memory) Lease(_ context.Context, _, appKey string, _ time.Duration) (Kept, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil || s.leased[appKey] {
		return s.kept[appKey], nil, s.away
	}
	s.leased[appKey] = true
	return s.kept[appKey], func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.leased[appKey] = false
	}, nil
}

func (s *memory) Store(_ context.Context, _, appKey string, tokens Sealed) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return 0, s.away
	}
	s.number++
	s.stored++
	tokens.Number = s.number
	key := s.kept[appKey]
	key.Tokens = tokens
	s.kept[appKey] = key
	return s.number, nil
}

func (s *memory) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = err
}

// put changes what is kept of a key.
func (s *memory) put(appKey string, change func(*Kept)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.kept[appKey]
	s.number++
	change(&key)
	s.kept[appKey] = key
}

func (s *memory) get(appKey string) Kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[appKey]
}

// ring is a relay's identity.
func ring(t *testing.T) seal.Keyring {
	t.Helper()
	path := filepath.Join(t.TempDir(), "identity")
	if _, err := seal.NewIdentity(path); err != nil {
		t.Fatal(err)
	}
	ring, err := seal.LoadIdentities(path)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func sealed(t *testing.T, value string, number int64, to seal.Keyring) Sealed {
	t.Helper()
	text, err := seal.Seal(value, to.Recipients())
	if err != nil {
		t.Fatal(err)
	}
	return Sealed{Text: text, Number: number}
}

// keptKey is the test key as an administrator sealed it.
func keptKey(t *testing.T, identity seal.Keyring) Kept {
	t.Helper()
	return Kept{
		Pool: "default", AppKey: testKey.AppKey, Secret: sealed(t, testKey.Secret, 1, identity),
		Tokens: sealed(t, Tokens{RefreshToken: testKey.RefreshToken}.Text(), 2, identity),
	}
}

// sharing makes a relay without keys of its own.
func sharing(t *testing.T, gateway string, vault Vault, identity seal.Keyring, change ...func(*Config)) *Relay {
	t.Helper()
	return relayTo(t, gateway, func(c *Config) {
		c.Keys, c.Vault, c.Identities, c.Every = nil, vault, identity, 10*time.Millisecond
		for _, more := range change {
			more(c)
		}
	})
}

func mustPlace(t *testing.T, r *Relay, reference string) {
	t.Helper()
	if got := r.Place(t.Context(), order(reference)); got.Verdict != worker.Placed {
		t.Fatalf("got %+v", got)
	}
}

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	late, again := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for !so() {
		select {
		case <-again.C:
		case <-late:
			t.Fatal("waited in vain: " + what)
		}
	}
}

// Two relays with ten workers each, tokens that end after a second, refresh tokens that are good once: whoever asks, each token is
// refreshed once.
func TestOneRefreshForAllRelays(t *testing.T) {
	platform := &issuer{t: t, life: "1"} // it complains of a refresh token that comes twice
	url, identity := gateway(t, platform.ServeHTTP), ring(t)
	vault := newMemory(keptKey(t, identity))
	began := time.Now()
	var workers sync.WaitGroup
	for n := range 2 {
		r := sharing(t, url, vault, identity)
		running(t, r)
		for w := range 10 {
			workers.Go(func() {
				for i := 0; time.Since(began) < 2500*time.Millisecond; i++ {
					mustPlace(t, r, fmt.Sprintf("acme.PR-%d-%d-%d-1", n, w, i))
				}
			})
		}
	}
	workers.Wait()
	most := int32(time.Since(began)/(800*time.Millisecond)) + 1
	if n := platform.refreshes.Load(); n < 2 || n > most {
		t.Errorf("%d refreshes, want 2 to %d", n, most)
	}
}

func TestARestartedRelayGoesOnWithTheTokensThatWereStored(t *testing.T) {
	platform := &issuer{t: t, life: "36000"}
	url, identity := gateway(t, platform.ServeHTTP), ring(t)
	vault := newMemory(keptKey(t, identity))
	mustPlace(t, sharing(t, url, vault, identity), "acme.PR-1-1")
	mustPlace(t, sharing(t, url, vault, identity), "acme.PR-2-1")
	if n := platform.refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	if text := fmt.Sprintf("%+v", vault.get(testKey.AppKey)); strings.Contains(text, "MARKER") || strings.Contains(text, "r1") && strings.Contains(text, `"`) {
		t.Errorf("kept: %s", text)
	}
}

// The refresh token stays when the answer brings none, and so does what is known of its end.
func TestTheOldRefreshTokenStays(t *testing.T) {
	sim, identity := simulator(t), ring(t)
	key, ends := keptKey(t, identity), time.Now().Add(90*24*time.Hour).Round(time.Second)
	key.Tokens = sealed(t, Tokens{RefreshToken: testKey.RefreshToken, RefreshEnds: ends}.Text(), 2, identity)
	vault := newMemory(key)
	mustPlace(t, sharing(t, sim.GatewayURL(), vault, identity), "acme.PR-1-1")
	kept := vault.get(testKey.AppKey).Tokens
	text, err := identity.Open(kept.Text)
	if tokens, ok := readTokens(text); err != nil || !ok || tokens.RefreshToken != testKey.RefreshToken || !tokens.RefreshEnds.Equal(ends) || tokens.AccessToken == "" {
		t.Errorf("kept %v, %v", ok, err)
	}
	if !kept.Ends.Equal(ends) || kept.Fingerprint != seal.Fingerprint(testKey.RefreshToken) {
		t.Errorf("beside them: %v, %s", kept.Ends, kept.Fingerprint)
	}
}

func TestAKeyThatIsAddedWhileTheRelayRunsIsServed(t *testing.T) {
	sim, identity := simulator(t), ring(t)
	vault, pushed := newMemory(), make(chan worker.Push, 64)
	r := sharing(t, sim.GatewayURL(), vault, identity, func(c *Config) {
		c.Messages = sim.MessagesURL()
		c.OnPush = func(_ context.Context, push worker.Push) error { pushed <- push; return nil }
	})
	running(t, r)
	if got := r.Place(t.Context(), order(reference)); got.Code != worker.CodeChannelDown {
		t.Errorf("nothing is there, so it is lost: %+v", got)
	}
	vault.put("another", func(k *Kept) { *k = Kept{Pool: "default", AppKey: "another"} })
	if got := r.Place(t.Context(), order(reference)); got.Code != worker.CodeKeyUnknown {
		t.Errorf("got %+v", got)
	}
	vault.put(testKey.AppKey, func(k *Kept) { *k = Kept{Pool: "default", AppKey: testKey.AppKey} })
	if got := r.Place(t.Context(), order(reference)); got.Code != worker.CodeKeyUnknown || !strings.Contains(got.Reason, "no secret") {
		t.Errorf("got %+v", got)
	}
	vault.put(testKey.AppKey, func(k *Kept) { *k = keptKey(t, identity) })
	mustPlace(t, r, reference)
	if push := within(t, pushed); push.AppKey != testKey.AppKey {
		t.Errorf("got %+v", push)
	}
}

func TestASecretIsExchangedWhileTheRelayRuns(t *testing.T) {
	sim, identity := simulator(t), ring(t)
	wrong := keptKey(t, identity)
	wrong.Secret = sealed(t, "MARKER-wrong", 1, identity)
	vault := newMemory(wrong)
	r := sharing(t, sim.GatewayURL(), vault, identity)
	running(t, r)
	if got := r.Place(t.Context(), order(reference)); got.Code != worker.CodeUnauthorized {
		t.Errorf("got %+v", got)
	}
	vault.put(testKey.AppKey, func(k *Kept) { k.Secret = sealed(t, testKey.Secret+"\n", 3, identity) })
	eventually(t, "the new secret", func() bool { return r.Probe(t.Context(), testKey.AppKey).Verdict == worker.Placed })
	mustPlace(t, r, reference)
}

func TestWhoseSecretIsUsed(t *testing.T) {
	identity, other := ring(t), ring(t)
	file := Key{AppKey: "1", Secret: "MARKER-file", RefreshToken: "MARKER-file-refresh"}
	for name, c := range map[string]struct {
		kept Kept
		want string
		says string
	}{
		"own, sealed":              {Kept{Secret: sealed(t, "MARKER-sealed", 1, identity)}, "MARKER-sealed", ""},
		"own, in the file alone":   {Kept{}, "MARKER-file", ""},
		"managed":                  {Kept{Managed: true, Secret: sealed(t, "MARKER-sealed", 1, identity)}, "MARKER-file", ""},
		"for another relay":        {Kept{Secret: sealed(t, "MARKER-sealed", 1, other)}, "", "other recipients"},
		"not sealed":               {Kept{Secret: Sealed{Text: "MARKER", Number: 1}}, "", "not a sealed value"},
		"with something invisible": {Kept{Secret: sealed(t, "MARK\u200bER", 1, identity)}, "", "character 5"},
	} {
		var said record
		holder := newKeyholder(file, nil, Config{Identities: identity, Log: zerolog.New(&said)})
		c.kept.AppKey = "1"
		holder.take(c.kept)
		holder.take(c.kept)
		if got := holder.credentials().Secret; got != c.want {
			t.Errorf("%s: got %q", name, got)
		}
		if err := holder.usable(); (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", name, err)
		}
		if c.says != "" {
			said.check(t)
			if strings.Count(said.said.String(), "\n") != 1 {
				t.Errorf("%s: said more than once: %s", name, &said.said)
			}
		}
	}
}

// Of the tokens that are stored and those of the keys file, the later ones are used.
func TestWhoseTokensAreUsed(t *testing.T) {
	identity := ring(t)
	for name, c := range map[string]struct {
		file   string
		stored Tokens
		want   string
	}{
		"no file":                      {"", Tokens{RefreshToken: "stored"}, "stored"},
		"refreshed from the file's":    {"file", Tokens{RefreshToken: "stored", Origin: "file"}, "stored"},
		"the operator has a newer one": {"file-2", Tokens{RefreshToken: "stored", Origin: "file"}, "file-2"},
		"an administrator's":           {"file", Tokens{RefreshToken: "stored"}, "stored"},
		"unreadable":                   {"file", Tokens{}, "file"},
	} {
		holder := newKeyholder(Key{AppKey: "1", Secret: "s", RefreshToken: c.file}, nil, Config{Identities: identity})
		holder.take(Kept{AppKey: "1", Tokens: sealed(t, c.stored.Text(), 5, identity)})
		if got := holder.current().RefreshToken; got != c.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// What cannot be stored is stored later, and what the vault forgot is brought back; but what another relay stored is newer.
func TestTokensComeBackToAVaultThatForgot(t *testing.T) {
	platform := &issuer{t: t, life: "36000"}
	url, identity := gateway(t, platform.ServeHTTP), ring(t)
	vault := newMemory(keptKey(t, identity))
	r := sharing(t, url, vault, identity)
	if err := r.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	holder := r.holder(testKey.AppKey)
	holder.take(vault.get(testKey.AppKey))
	holder.keep(alibaba.Token{AccessToken: "a0", RefreshToken: testKey.RefreshToken})
	vault.fail(errors.New("away"))
	holder.store(t.Context())
	running(t, r)
	if got := r.Place(t.Context(), worker.Order{AppKey: "404"}); got.Code != worker.CodeChannelDown {
		t.Errorf("a key that may be there: %+v", got)
	}
	vault.fail(nil)
	holds := func(want string) func() bool {
		return func() bool {
			text, _ := identity.Open(vault.get(testKey.AppKey).Tokens.Text)
			tokens, _ := readTokens(text)
			return tokens.AccessToken == want
		}
	}
	eventually(t, "tokens that could not be stored", holds("a0"))
	vault.put(testKey.AppKey, func(k *Kept) { k.Tokens = keptKey(t, identity).Tokens })
	eventually(t, "tokens that were forgotten", holds("a0"))
	vault.put(testKey.AppKey, func(k *Kept) {
		k.Tokens = sealed(t, Tokens{AccessToken: "theirs", RefreshToken: "r"}.Text(), vault.number, identity)
	})
	eventually(t, "another relay's tokens", func() bool { return holder.current().AccessToken == "theirs" })
	if !holds("theirs")() {
		t.Error("newer tokens were overwritten")
	}
}

func TestGrantedTokensAreStored(t *testing.T) {
	sim, identity := simulator(t), ring(t)
	vault := newMemory(keptKey(t, identity))
	r := sharing(t, sim.GatewayURL(), vault, identity)
	if err := r.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	ends := time.Now().Add(180 * 24 * time.Hour)
	if err := r.holder(testKey.AppKey).adopt(t.Context(), alibaba.Token{AccessToken: "a", RefreshToken: "granted", RefreshEnds: ends}); err != nil {
		t.Fatal(err)
	}
	if kept := vault.get(testKey.AppKey).Tokens; kept.Fingerprint != seal.Fingerprint("granted") || !kept.Ends.Equal(ends) {
		t.Errorf("kept %v, %s", kept.Ends, kept.Fingerprint)
	}
}

func TestTheAlarmIsRaisedOnceAndAgainWhenItFailed(t *testing.T) {
	sim, identity := simulator(t), ring(t)
	key, ends := keptKey(t, identity), time.Now().Add(13*day)
	key.Tokens = sealed(t, Tokens{AccessToken: "a", RefreshToken: testKey.RefreshToken, RefreshEnds: ends}.Text(), 2, identity)
	var told []Ending
	r := sharing(t, sim.GatewayURL(), newMemory(key), identity, func(c *Config) {
		c.OnEnding = func(_ context.Context, e Ending) error {
			told = append(told, e)
			if len(told) == 1 {
				return errors.New("away")
			}
			return nil
		}
	})
	if err := r.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	cared := map[string]*upkeep{}
	for range 4 {
		r.tendOnce(t.Context(), cared, time.Now())
	}
	want := Ending{"default", testKey.AppKey, ends, 14}
	for i := range told {
		if !told[i].At.Equal(ends) {
			t.Errorf("told of %v, want %v", told[i].At, ends)
		}
		told[i].At = ends
	}
	if !slices.Equal(told, []Ending{want, want}) {
		t.Errorf("told %v", told)
	}
}

func TestAVaultNeedsIdentities(t *testing.T) {
	if _, err := New(Config{Vault: newMemory()}); err == nil || !strings.Contains(err.Error(), "identities") {
		t.Errorf("got %v", err)
	}
}
