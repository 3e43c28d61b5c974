package sim1688

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/rs/zerolog"
)

// DefaultLimit is how many products a key may order when its Limit is 0.
const DefaultLimit = 1000

// Config says what the simulated platform knows. The zero value of each field but Keys is usable.
type Config struct {
	GatewayAddr  string // where the Open API listens; "" or port 0 picks a free port of 127.0.0.1
	MessagesAddr string // where the message websocket listens
	AdminAddr    string // where the admin API listens

	Keys   []Key   // app keys the platform knows at the start
	Offers []Offer // catalogue; nil means DefaultCatalogue
	Count  string  // what a product is: "lines" (default) or "units"

	Seed      uint64           // of the dice that faults with a probability throw
	TokenLife time.Duration    // how long an access token lives; default 10 h, as the platform's
	Resend    time.Duration    // pause before an unconfirmed push is sent again; default 10 s, the platform's is not known
	Now       func() time.Time // the platform's clock; default time.Now
	Steady    func() time.Time // measures how late something shows, whatever Now does; default time.Now
	Log       zerolog.Logger

	RefreshLife time.Duration // how long a refresh token lives; default 180 days: the platform's half a year
	RefreshOnce bool          // a refresh token is good once, and each refresh brings the next one; whether the platform's are is not known
}

// Key is one app of the open platform and the buyer account that authorized it. Its text form hides every secret.
type Key struct {
	AppKey       string   `json:"app_key"`
	Secret       string   `json:"secret"`
	RefreshToken string   `json:"refresh_token"` // exchanged for access tokens; "" means none was issued yet
	AccessToken  string   `json:"access_token"`  // valid from the start for Config.TokenLife; optional
	Member       string   `json:"member"`        // buyer account, whose orders all its keys see; default one account per key
	Limit        int      `json:"limit"`         // products allowed before the key counts as over-drawn; default DefaultLimit
	APIs         []string `json:"apis"`          // API names the app may call; empty means all
	NoMessages   bool     `json:"no_messages"`   // the app did not choose the websocket for its messages
}

// String names the key without its secrets.
func (k Key) String() string { return "key " + k.AppKey }

// GoString names the key without its secrets.
func (k Key) GoString() string { return k.String() }

// MarshalJSON writes what is not secret.
func (k Key) MarshalJSON() ([]byte, error) {
	return encode(struct {
		AppKey string `json:"app_key"`
		Member string `json:"member"`
		Limit  int    `json:"limit"`
	}{k.AppKey, k.Member, k.Limit}), nil
}

func (c Config) withDefaults() Config {
	for _, addr := range []*string{&c.GatewayAddr, &c.MessagesAddr, &c.AdminAddr} {
		if *addr == "" {
			*addr = "127.0.0.1:0"
		}
	}
	if c.Count == "" {
		c.Count = "lines"
	}
	if c.Offers == nil {
		c.Offers = DefaultCatalogue()
	}
	if c.TokenLife == 0 {
		c.TokenLife = 10 * time.Hour
	}
	if c.RefreshLife == 0 {
		c.RefreshLife = 180 * 24 * time.Hour
	}
	if c.Resend == 0 {
		c.Resend = 10 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Steady == nil {
		c.Steady = time.Now
	}
	return c
}

// validate reports every problem at once, each with the name of its field.
func (c Config) validate() error {
	var problems []error
	if c.Count != "lines" && c.Count != "units" {
		problems = append(problems, fmt.Errorf("Count: %q is neither lines nor units", c.Count))
	}
	if c.TokenLife < 0 || c.RefreshLife < 0 || c.Resend < 0 {
		problems = append(problems, errors.New("TokenLife, RefreshLife and Resend: must not be negative"))
	}
	known := map[string]bool{}
	for i, key := range c.Keys {
		if err := key.validate(); err != nil {
			problems = append(problems, fmt.Errorf("Keys[%d]: %w", i, err))
		}
		if known[key.AppKey] {
			problems = append(problems, fmt.Errorf("Keys[%d]: app_key %q stands twice", i, key.AppKey))
		}
		known[key.AppKey] = true
	}
	offered := map[string]bool{}
	for i, offer := range c.Offers {
		if err := offer.validate(); err != nil {
			problems = append(problems, fmt.Errorf("Offers[%d]: %w", i, err))
		}
		if offered[offer.OfferID] {
			problems = append(problems, fmt.Errorf("Offers[%d]: offer_id %q stands twice", i, offer.OfferID))
		}
		offered[offer.OfferID] = true
	}
	return errors.Join(problems...)
}

var appKeyForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

func (k Key) validate() error {
	switch {
	case !appKeyForm.MatchString(k.AppKey):
		return fmt.Errorf("app_key: %q is not 1 to 64 letters, digits, _ or -", k.AppKey)
	case k.Secret == "":
		return errors.New("secret: missing")
	case k.Limit < 0:
		return fmt.Errorf("limit: %d is negative", k.Limit)
	}
	return nil
}
