package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/seal"
	"autopurchase/worker"
)

// newIdentity makes an identity by its command.
func newIdentity(t *testing.T) (file, recipient string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "relay.identity")
	code, out, errs := execute(t, nil, "keys", "identity", "new", "--out", file)
	if code != exitOK || !strings.HasPrefix(out, "age1") || strings.Count(out, "\n") != 1 {
		t.Fatalf("exit %d, %s%s", code, out, errs)
	}
	return file, strings.TrimSpace(out)
}

// sealBy gives a secret on standard input, as it was pasted.
func sealBy(t *testing.T, nats, input string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs output
	code = run(t.Context(), append([]string{"keys", "seal", "--nats", nats}, args...), terminal{
		in: strings.NewReader(input), out: &out, err: &errs, env: func(string) (string, bool) { return "", false },
	})
	return code, out.String(), errs.String()
}

func TestKeysIdentity(t *testing.T) {
	t.Parallel()
	file, recipient := newIdentity(t)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	ring, err := seal.LoadIdentities(file)
	must(t, err)
	if ring.Recipients()[0] != recipient {
		t.Errorf("printed %s, wrote that of %s", recipient, ring.Recipients())
	}
	refused(t, exitFailed, []string{file, "is there already"}, "keys", "identity", "new", "--out", file)
	refused(t, exitUsage, []string{"--out: is required"}, "keys", "identity", "new")
}

// TestKeysSeal: what is pasted is cleaned or refused with its position, sealed here, and kept with its fingerprint; what is no sealed
// value is turned down by who keeps it, without repeating it.
func TestKeysSeal(t *testing.T) {
	t.Parallel()
	nats, redis, _ := staffed(t)
	file, recipient := newIdentity(t)
	addKeys(t, nats, "1000001")
	if code, out, errs := sealBy(t, nats, markerSecret, "1000001"); code != exitFailed || !strings.Contains(errs, "no recipients") {
		t.Errorf("without recipients: exit %d, %s%s", code, out, errs)
	}
	if code, out, errs := execute(t, nil, "keys", "pool", "--recipients", recipient, "--nats", nats); code != exitOK {
		t.Fatalf("exit %d, %s%s", code, out, errs)
	}
	code, out, errs := sealBy(t, nats, "\t"+markerSecret+" \r\n"+markerToken+"\n\n", "1000001", "--with-refresh-token", "--json", "--by", "li")
	var info bus.KeyInfo
	if err := json.Unmarshal([]byte(out), &info); err != nil || code != exitOK || info.Fingerprint != seal.Fingerprint(markerSecret) {
		t.Fatalf("exit %d, %s%s", code, out, errs)
	}
	mustNotTell(t, "the command", []byte(out+errs), markerSecret, markerToken)
	kept := keptIn(t, redis.URL)
	ring, err := seal.LoadIdentities(file)
	must(t, err)
	if got, err := ring.Open(kept.Secret.Text); err != nil || got != markerSecret {
		t.Errorf("kept %q, %v", got, err)
	}
	if got, err := ring.Open(kept.Tokens.Text); err != nil || got != `{"refresh_token":"`+markerToken+`"}` {
		t.Errorf("kept %q, %v", got, err)
	}
	for input, says := range map[string]string{
		"": "must be given", "\n": "is empty", "MARK\u200bER": "secret: character 5", "MARKER\nMARKER": "there are 2 lines",
	} {
		code, out, errs := sealBy(t, nats, input, "1000001")
		if code != exitUsage || !strings.Contains(errs, says) || strings.Contains(out+errs, "MARK") {
			t.Errorf("%q: exit %d, %s%s", input, code, out, errs)
		}
	}
	if code, _, errs := sealBy(t, nats, "x", "1000009"); code != exitFailed || !strings.Contains(errs, "unknown_key") {
		t.Errorf("a key that is not there: exit %d, %s", code, errs)
	}
	if code, _, errs := sealBy(t, nats, "x", "1000001", "--secret-fd", "1000000"); code != exitUsage || !strings.Contains(errs, "bad file descriptor") {
		t.Errorf("a descriptor that is not open: exit %d, %s", code, errs)
	}
	a := newAdmin(t, nats)
	a.refused("seal", "", `{"app_key":"1000001","secret":"`+markerSecret+`","fingerprint":"aaaa-bbbb-cccc-dddd","by":"li"}`, "invalid", "secret: must be sealed: base64 of an age file")
}

// TestKeysAddWithASecret adds nothing for which the secret will not do.
func TestKeysAddWithASecret(t *testing.T) {
	t.Parallel()
	nats, redis, _ := staffed(t)
	_, recipient := newIdentity(t)
	r := &record{t: t}
	add := "add 1000001 --account buyer-1 --with-secret --by li"
	r.commands(nats, [][2]string{{markerSecret, add}}, exitFailed) // nobody to seal for
	r.commands(nats, [][2]string{{"", "pool --recipients " + recipient}}, exitOK)
	r.commands(nats, [][2]string{{markerSecret + "\u200b", add}, {"", add}}, exitUsage)
	if keys := listKeys(t, nats); len(keys) != 0 {
		t.Errorf("added %+v", keys)
	}
	r.commands(nats, [][2]string{{markerSecret + "\n" + markerToken, add + " --with-refresh-token --json"}}, exitOK)
	if keys := listKeys(t, nats); len(keys) != 1 || keys[0].Fingerprint != seal.Fingerprint(markerSecret) || keys[0].Account != "buyer-1" {
		t.Errorf("added %+v", keys)
	}
	if kept := keptIn(t, redis.URL); kept.Tokens.Fingerprint != seal.Fingerprint(markerToken) {
		t.Errorf("kept %+v", kept)
	}
	mustNotTell(t, "the command", r.said.Bytes(), markerSecret, markerToken)
}

// TestASecretComesFromAFileDescriptor, which is neither on the command line nor in the way of standard input.
func TestASecretComesFromAFileDescriptor(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	must(t, err)
	_, err = write.WriteString(markerSecret + "\n" + markerToken)
	must(t, err)
	must(t, write.Close())
	own, err := syscall.Dup(int(read.Fd())) // closed by who reads from it, and never a second time: its number is another's by then
	must(t, err)
	must(t, read.Close())
	source := secretSource{fd: own}
	got, err := source.read(terminal{in: strings.NewReader("other")}, "secret", "refresh token")
	if err != nil || got[0] != markerSecret || got[1] != markerToken {
		t.Errorf("got %v", err)
	}
}

// keptIn reads what Redis keeps of the only key.
func keptIn(t *testing.T, url string) keypool.Kept {
	t.Helper()
	pool, err := keypool.Open(t.Context(), keypool.Config{URL: url})
	must(t, err)
	defer func() { must(t, pool.Close()) }()
	kept, err := pool.Kept(t.Context(), defaultPool)
	must(t, err)
	if len(kept) != 1 {
		t.Fatalf("kept: %d keys", len(kept))
	}
	return kept[0]
}

// TestKeysReseal exchanges a relay's identity: afterwards the new one opens what the old one did, and the old one opens nothing.
func TestKeysReseal(t *testing.T) {
	t.Parallel()
	nats, redis, _ := staffed(t)
	oldFile, oldRecipient := newIdentity(t)
	newFile, newRecipient := newIdentity(t)
	other, _ := newIdentity(t)
	addKeys(t, nats, "1000001")
	recipients := func(list string) {
		t.Helper()
		if code, out, errs := execute(t, nil, "keys", "pool", "--recipients", list, "--nats", nats); code != exitOK {
			t.Fatalf("exit %d, %s%s", code, out, errs)
		}
	}
	reseal := func(files string) (int, string) {
		t.Helper()
		code, out, errs := execute(t, nil, "keys", "reseal", "--redis", redis.URL, "--identity", files, "--by", "li")
		return code, out + errs
	}
	opens := func(file string) bool {
		t.Helper()
		ring, err := seal.LoadIdentities(file)
		must(t, err)
		kept := keptIn(t, redis.URL)
		secret, err := ring.Open(kept.Secret.Text)
		if err == nil && secret != markerSecret {
			t.Errorf("the secret is %q now", secret)
		}
		_, err2 := ring.Open(kept.Tokens.Text)
		return err == nil && err2 == nil
	}
	recipients(oldRecipient)
	if code, out, errs := sealBy(t, nats, markerSecret+"\n"+markerToken, "1000001", "--with-refresh-token"); code != exitOK {
		t.Fatalf("exit %d, %s%s", code, out, errs)
	}
	recipients(newRecipient)
	if code, said := reseal(other); code != exitFailed || !strings.Contains(said, "key 1000001: secret: was sealed for other recipients") {
		t.Errorf("exit %d, %s", code, said)
	}
	if code, said := reseal(oldFile + "," + newFile); code != exitOK || !strings.Contains(said, "1 secrets and the tokens of 1 keys") {
		t.Errorf("exit %d, %s", code, said)
	}
	if opens(oldFile) || !opens(newFile) {
		t.Error("it is not sealed for the new identity alone")
	}
	var sealed []worker.PoolEvent
	until(t, func() bool {
		sealed = nil
		for event, err := range connect(t, nats).History().Events(t.Context(), defaultPool) {
			must(t, err)
			if event.Sealed != "" {
				sealed = append(sealed, event)
			}
		}
		return len(sealed) == 4
	})
	if sealed[0].Print != sealed[2].Print || sealed[0].Sealed == sealed[2].Sealed || sealed[3].By != "li" {
		t.Errorf("journal: %+v", sealed)
	}
}
