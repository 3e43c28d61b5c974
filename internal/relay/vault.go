package relay

import (
	"context"
	"encoding/json"
	"time"

	"autopurchase/internal/alibaba"
)

// Vault keeps sealed secrets and tokens for all relays that serve the same keys. An error leaves it open whether anything was
// changed; every call may be repeated.
type Vault interface {
	// Keys gives every key that a relay may be asked about, with what is kept of it.
	Keys(ctx context.Context) ([]Kept, error)
	// Lease gives one relay after the other the turn to change a key's tokens, for at most so long, and what is kept of the key
	// then. release ends the turn; it is nil while another relay has it.
	Lease(ctx context.Context, pool, appKey string, longest time.Duration) (now Kept, release func(), err error)
	// Store keeps the tokens of a key in the place of older ones, and gives the number under which it does. Who stores has the
	// turn.
	Store(ctx context.Context, pool, appKey string, tokens Sealed) (number int64, err error)
}

// Kept is what a vault has of one key.
type Kept struct {
	Pool       string
	AppKey     string
	Managed    bool     // the secret is in the relay's keys file
	Recipients []string // for whom the pool's secrets are sealed; empty for the relay's own identities
	Secret     Sealed   // as an administrator sealed it: the secret itself
	Tokens     Sealed   // see Tokens
}

// Sealed is a value that only a relay's identities open.
type Sealed struct {
	Text        string    // see package seal; "" for none
	Number      int64     // of what is kept of a pool's keys, a later one has the higher number
	Fingerprint string    // see seal.Fingerprint; of tokens it is the refresh token's
	Ends        time.Time // of tokens: when the refresh token ends; zero when that is not known
}

// Tokens are a key's tokens as they are sealed, as JSON. It prints without them.
type Tokens struct {
	AccessToken  string
	RefreshToken string
	Expires      time.Time // of the access token; zero when not known
	RefreshEnds  time.Time // of the refresh token; zero when not known
	Owner        alibaba.Owner
	// Origin is the refresh token of the keys file with which these tokens began. Where the file has another one, that is the
	// newer: its operator put it there.
	Origin string
}

// String leaves the tokens out.
func (t Tokens) String() string { return "tokens (withheld)" }

// GoString leaves the tokens out.
func (t Tokens) GoString() string { return t.String() }

// tokensText is how tokens are written.
type tokensText struct {
	AccessToken  string        `json:"access_token,omitempty"`
	RefreshToken string        `json:"refresh_token,omitempty"`
	Expires      time.Time     `json:"expires,omitzero"`
	RefreshEnds  time.Time     `json:"refresh_ends,omitzero"`
	Owner        alibaba.Owner `json:"owner,omitzero"`
	Origin       string        `json:"origin,omitempty"`
}

// Text writes the tokens as they are to be sealed.
func (t Tokens) Text() string {
	text, err := json.Marshal(tokensText(t))
	if err != nil {
		panic(err) // only for a time before year 0
	}
	return string(text)
}

// MarshalJSON leaves the tokens out: what is to be sealed is Text.
func (t Tokens) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

func readTokens(text string) (Tokens, bool) {
	var t tokensText
	err := json.Unmarshal([]byte(text), &t) // its words may repeat a value
	return Tokens(t), err == nil && t.RefreshToken+t.AccessToken != ""
}
