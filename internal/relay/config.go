package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/alibaba"
	"autopurchase/internal/seal"
	"autopurchase/worker"
)

// DefaultPerKey is a modest pace in calls per second and key. The platform publishes no quota; one public report tripped it
// with 8 callers of 30 calls each.
const DefaultPerKey = 20

// DefaultEvery is how often a relay looks into its vault.
const DefaultEvery = 5 * time.Second

// Config sets a relay up. Zero values take the default.
type Config struct {
	// Gateway is the platform's HTTP address. Default alibaba.DefaultGateway.
	Gateway string
	// Messages is the address of the platform's message websocket; "" opens no sessions.
	Messages string
	// Keys are the app keys it may use, of the keys file. See LoadKeys.
	Keys []Key
	// Vault has further keys, and keeps the tokens of all that it knows, so that relays share them and a restarted one goes on
	// with them. nil: only Keys are used, and new tokens are kept in memory.
	Vault Vault
	// Identities open what the vault keeps. Required with Vault.
	Identities seal.Keyring
	// OnEnding is told 30, 14, 7 and 1 days before the end of a refresh token of a key that the vault knows, at least once each,
	// and again if it returns an error. May be nil: it is logged anyway.
	OnEnding func(context.Context, Ending) error
	// Every is how often the relay looks into the vault. Default 5 s.
	Every time.Duration
	// MissedEvery is about how often each key is asked for pushes that nobody confirmed. Default 5 min.
	MissedEvery time.Duration
	// OnPush keeps what the platform pushed and returns nil once it is stored. It is called from one goroutine for each
	// key. Required with Messages.
	OnPush func(context.Context, worker.Push) error
	// PerKey is how many calls per second are made with one key; 0 sets no bound. DefaultPerKey is a modest start.
	PerKey float64
	// DistrictCodes says whether an address in texts gets the code of its district, which 1688 is asked for with the key that orders,
	// and which is remembered for a day. Where 1688 gives none the order goes without.
	DistrictCodes bool
	// Authorize is the page where a buyer account authorizes an app. Default alibaba.DefaultAuthorize.
	Authorize string
	// Callback is where that page sends the browser back, if nothing else is said: this relay's CallbackPath as browsers reach
	// it, and as it stands in the app's settings on the platform. "" has none.
	Callback string
	// Calls follows each call of the gateway: see alibaba.Config. May be nil.
	Calls func(ctx context.Context, api string) (context.Context, func(how string))
	// OnSession is told when 1688 has acknowledged a message session, each time. It must not block. May be nil.
	OnSession func()
	// Timeout bounds one call of the gateway. Default 30 s.
	Timeout time.Duration
	Log     zerolog.Logger
}

// Validate reports everything that is wrong with the settings at once, but for the addresses.
func (c Config) Validate() error {
	var problems []error
	if c.Messages != "" && c.OnPush == nil {
		problems = append(problems, errors.New("messages: pushes have nowhere to go"))
	}
	if c.Vault != nil && len(c.Identities.Recipients()) == 0 {
		problems = append(problems, errors.New("identities: are missing: nothing in the vault can be opened"))
	}
	if c.MissedEvery < 0 {
		problems = append(problems, fmt.Errorf("missed every %v: must not be negative", c.MissedEvery))
	}
	if c.Every < 0 {
		problems = append(problems, fmt.Errorf("every %v: must not be negative", c.Every))
	}
	if c.PerKey < 0 {
		problems = append(problems, fmt.Errorf("per-key %v: must not be negative", c.PerKey))
	}
	if c.Callback != "" && checkRedirect(c.Callback) != "" {
		problems = append(problems, fmt.Errorf("callback %q: %s", c.Callback, checkRedirect(c.Callback)))
	}
	return errors.Join(append(problems, checkKeys(c.Keys))...)
}

// Ending is a refresh token that comes near its end: a person must authorize the app key again before.
type Ending struct {
	Pool, AppKey string
	At           time.Time
	Days         int // within which it ends
}

// Key is an app key with what it needs to be used. It prints without its secrets.
type Key struct {
	AppKey       string      `json:"app_key"`
	Secret       string      `json:"secret"`
	AccessToken  string      `json:"access_token"`
	RefreshToken string      `json:"refresh_token"`
	Account      string      `json:"account"` // buyer account it is bound to; for people
	API          alibaba.API `json:"api"`     // create call it may use: "fast", the default, or "cross"
}

// String leaves the secrets out.
func (k Key) String() string { return "app key " + k.AppKey + " (secrets withheld)" }

// GoString leaves the secrets out.
func (k Key) GoString() string { return k.String() }

// MarshalJSON leaves the secrets out.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }
