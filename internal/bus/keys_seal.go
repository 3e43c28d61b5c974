package bus

import (
	"regexp"

	"autopurchase/worker"
)

// SealKey asks for a key's secret, its tokens or both to be kept. They are sealed by the one who asks, for the pool's recipients:
// nobody but a relay can read them.
type SealKey struct {
	Pool              string `json:"pool,omitempty"`
	AppKey            string `json:"app_key"`
	Secret            string `json:"secret,omitempty"`      // base64 of an age file
	Fingerprint       string `json:"fingerprint,omitempty"` // of the secret
	Tokens            string `json:"tokens,omitempty"`      // base64 of an age file
	TokensFingerprint string `json:"tokens_fingerprint,omitempty"`
	Change
}

const maxSealed = 64 << 10 // bytes

var (
	// sealedForm is base64 of a file that begins with the first line of every age file.
	sealedForm = regexp.MustCompile(`^YWdlLWVuY3J5cHRpb24ub3JnL3YxC[A-Za-z0-9+/]+={0,2}$`)
	printForm  = regexp.MustCompile(`^[0-9a-f]{4}(-[0-9a-f]{4}){3}$`)
)

func (s SealKey) checked() (SealKey, *worker.Invalid) {
	setDefault(&s.Pool, defaultPool)
	if s.Secret == "" && s.Tokens == "" {
		return s, &worker.Invalid{Field: "secret", Reason: "must be given, or tokens"}
	}
	for _, part := range []struct{ name, text, printName, print string }{
		{"secret", s.Secret, "fingerprint", s.Fingerprint}, {"tokens", s.Tokens, "tokens_fingerprint", s.TokensFingerprint},
	} {
		switch {
		case part.text == "" && part.print == "":
		case len(part.text) > maxSealed || !sealedForm.MatchString(part.text): // its words must not repeat it: it may be a secret that was not sealed
			return s, &worker.Invalid{Field: part.name, Reason: "must be sealed: base64 of an age file"}
		case !printForm.MatchString(part.print):
			return s, &worker.Invalid{Field: part.printName, Reason: "must be given, such as 1f2e-3d4c-5b6a-7988"}
		}
	}
	return s, changes(s.Pool, s.AppKey, s.Change)
}
