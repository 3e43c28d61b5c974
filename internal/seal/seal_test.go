package seal

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const secret = "MARKER-secret"

// identity makes a file and loads it.
func identity(t *testing.T) (path string, ring Keyring) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "identity")
	recipient, err := NewIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	ring, err = LoadIdentities(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := ring.Recipients(); len(got) != 1 || got[0] != recipient {
		t.Fatalf("made %s, loaded %s", recipient, got)
	}
	return path, ring
}

func sealFor(t *testing.T, rings ...Keyring) string {
	t.Helper()
	var to []string
	for _, ring := range rings {
		to = append(to, ring.Recipients()...)
	}
	text, err := Seal(secret, to)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEachRecipientOpensAndNobodyElse(t *testing.T) {
	_, one := identity(t)
	_, two := identity(t)
	_, other := identity(t)
	text := sealFor(t, one, two)
	for _, ring := range []Keyring{one, two, {append(other.identities, two.identities...)}} {
		if got, err := ring.Open(text); err != nil || got != secret {
			t.Errorf("got %q, %v", got, err)
		}
	}
	for _, ring := range []Keyring{other, {}} {
		if got, err := ring.Open(text); !errors.Is(err, ErrNoIdentity) || got != "" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if again := sealFor(t, one, two); again == text {
		t.Error("the same value is recognized by its sealed text")
	}
	if raw, _ := base64.StdEncoding.DecodeString(text); strings.Contains(string(raw)+text, "MARKER") {
		t.Error("the value is in the text")
	}
}

func TestWhatIsNotSealedIsNotOpened(t *testing.T) {
	_, ring := identity(t)
	text := sealFor(t, ring)
	raw, _ := base64.StdEncoding.DecodeString(text)
	changed := append([]byte{}, raw...)
	changed[len(changed)-1] ^= 1
	encode := base64.StdEncoding.EncodeToString
	for name, bad := range map[string]string{
		"plain": secret, "empty": "", "cut": encode(raw[:len(raw)-1]), "changed": encode(changed), "not age": encode([]byte(secret)),
		"a line in it": text[:10] + "\n" + text[10:], "too long": strings.Repeat("A", MaxText+4),
	} {
		if got, err := ring.Open(bad); !errors.Is(err, ErrNotSealed) || got != "" || strings.Contains(fmt.Sprint(err), "MARKER") {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestSealRefuses(t *testing.T) {
	for name, to := range map[string][]string{"nobody": nil, "somebody unknown": {"age1nobody"}} {
		if text, err := Seal(secret, to); err == nil || text != "" || strings.Contains(err.Error(), "MARKER") {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

func TestIdentityFileIsForItsOwnerAndStays(t *testing.T) {
	path, ring := identity(t)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := NewIdentity(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	if again, err := LoadIdentities(path); err != nil || again.Recipients()[0] != ring.Recipients()[0] {
		t.Error("an identity was overwritten")
	}
	if said := fmt.Sprintf("%v %+v %#v %s", ring, ring, ring, ring); strings.Contains(said, "AGE-SECRET-KEY") {
		t.Errorf("printed: %s", said)
	}
}

func TestLoadIdentitiesRefuses(t *testing.T) {
	good, _ := identity(t)
	body, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body string
		mode os.FileMode
		says string
	}{
		"readable by the group":     {string(body), 0o640, "0640"},
		"readable by others":        {string(body), 0o604, "chmod 600"},
		"empty":                     {"# nothing\n", 0o600, "has no identity"},
		"not one of age":            {"# x\nMARKER\n", 0o600, "line 2 is no X25519 identity"},
		"cut":                       {string(body[:len(body)-3]), 0o600, "line 3"},
		"a very long line":          {strings.Repeat("M", 70_000), 0o600, "too long"},
		"a recipient by mistake":    {"age1qqqqqqq", 0o600, "line 1"},
		"identity for a plug-in":    {"AGE-PLUGIN-MARKER-1", 0o600, "line 1"},
		"good, and one that is not": {string(body) + "MARKER", 0o600, "line 4"},
	} {
		path := filepath.Join(t.TempDir(), "identity")
		if err := errors.Join(os.WriteFile(path, []byte(c.body), 0o600), os.Chmod(path, c.mode)); err != nil {
			t.Fatal(err)
		}
		_, err := LoadIdentities(good, path)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), path) || strings.Contains(err.Error(), "SECRET-KEY-1Q") || strings.Contains(err.Error(), "MARKER") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := LoadIdentities(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestClean(t *testing.T) {
	for value, want := range map[string]string{
		" " + secret + "\r\n": secret, "\t" + secret: secret, "\u3000a~!\u00a0": "a~!",
	} {
		if got, err := Clean(value); err != nil || got != want {
			t.Errorf("%q: got %q, %v", value, got, err)
		}
	}
	for value, says := range map[string]string{
		"": "is empty", " \n": "is empty", "MARK\u200bER": "character 5", "\ufeffMARKER": "character 1", "秘密": "character 1",
		"  MARKER\u200b": "character 7", "MAR KER": "character 4", "MARKER\x7f": "character 7", "MARKER\xff": "character 7",
	} {
		if got, err := Clean(value); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "MARKER") || got != "" {
			t.Errorf("%q: got %q, %v", value, got, err)
		}
	}
}

func TestFingerprint(t *testing.T) {
	// PBKDF2-HMAC-SHA256("MARKER-secret", "autopurchase fingerprint 1", 100000, 8), computed with Python's hashlib
	if got := Fingerprint(secret); got != "530a-fe76-cd95-3a2b" {
		t.Errorf("got %s", got)
	}
	if Fingerprint(secret) == Fingerprint(secret+"x") {
		t.Error("two values look the same")
	}
}
