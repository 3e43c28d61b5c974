package alibaba

import "fmt"

// API is the create call an app may use; which one the platform allows depends on the app (official documentation).
type API string

// The create calls.
const (
	Fast  API = "fast"  // alibaba.trade.fastCreateOrder, for general buyers
	Cross API = "cross" // alibaba.trade.createCrossOrder, for cross-border buyers
)

// Credentials are what one call is signed and authorized with. They print as the app key alone.
type Credentials struct {
	AppKey      string
	Secret      string
	AccessToken string // "" for calls that need none
	API         API    // "" is Fast
}

// String leaves the secret and the token out.
func (c Credentials) String() string { return fmt.Sprintf("app key %s (secrets withheld)", c.AppKey) }

// GoString leaves the secret and the token out.
func (c Credentials) GoString() string { return c.String() }

// MarshalText leaves the secret and the token out.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Credentials) private() []string { return []string{c.Secret, c.AccessToken} }
