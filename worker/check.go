package worker

import "time"

// Check names something about an app key that 1688 itself can prove.
type Check string

// The checks. A check that passed is answered Placed, without orders; Refused says that it is not so; NotAttempted and Unknown say
// that nobody knows.
const (
	CheckTime      Check = "time"      // currentTime is answered: key, secret and clock are right
	CheckConnect   Check = "connect"   // the message websocket acknowledged the key: it was chosen for the app
	CheckPush      Check = "push"      // a test push came: test commands were sent, and reach the relay
	CheckToken     Check = "token"     // a fresh access token can be had: the buyer account authorized the app
	CheckPreview   Check = "preview"   // an order's preview is permitted
	CheckAgreement Check = "agreement" // the buyer account pays by Alipay without a password
)

// Proof is what a check or an authorization found out beside its verdict. It holds no secret.
type Proof struct {
	Accounts    []string `json:"accounts,omitempty"`    // token: the names that 1688 has for the account that authorized the app
	Fingerprint string   `json:"fingerprint,omitempty"` // token: of the refresh token, so that a new one can be told
	Ends        int64    `json:"ends_ms,omitempty"`     // token: when the refresh token ends, milliseconds of Unix time; 0 when not known
	Alarm       int      `json:"alarm_days,omitempty"`  // token: it ends within so many days, 30, 14, 7 or 1; 0 is no alarm
	Topics      []string `json:"topics,omitempty"`      // push: what the test pushes were about
	Address     string   `json:"address,omitempty"`     // authorize: what to open in a browser
	State       string   `json:"state,omitempty"`       // authorize: what must come back with the code
}

// EndsAt is when the refresh token ends; zero when not known.
func (p *Proof) EndsAt() time.Time {
	if p == nil || p.Ends == 0 {
		return time.Time{}
	}
	return time.UnixMilli(p.Ends).UTC()
}

// Authorization is one step of authorizing an app key: without a code it begins, with one it ends.
type Authorization struct {
	AppKey      string `json:"app_key"`
	Account     string `json:"account,omitempty"`      // to begin: the key's declared account, which no other may replace
	RedirectURI string `json:"redirect_uri,omitempty"` // where 1688 sends the browser: one that the app has on the platform
	Code        string `json:"code,omitempty"`         // what came back; good once, for two minutes
	State       string `json:"state,omitempty"`        // what came back with it
}

// String leaves the code out.
func (a Authorization) String() string { return "authorization of app key " + a.AppKey }

// GoString leaves the code out.
func (a Authorization) GoString() string { return a.String() }
