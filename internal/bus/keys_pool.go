package bus

import (
	"fmt"
	"regexp"
	"slices"

	"autopurchase/worker"
)

// PoolSettings are a pool's settings.
type PoolSettings struct {
	Pool  string `json:"pool"`
	Count string `json:"count"` // what a key's limit counts: lines or units
	Width int    `json:"width"` // how many keys are active at once
	Low   int64  `json:"low"`   // products that all keys together can still take, below which the pool is low; 0 never
	// Strategy is which of the active keys an order is drawn from: first, one key after the other, or even, the one with most room.
	Strategy string `json:"strategy"`
	// Recipients are the relays', as age writes them: for whom clients seal a key's secret.
	Recipients []string `json:"recipients"`
	Version    int64    `json:"version"` // counts the changes
}

// ChangePool asks for a pool's settings to be changed: what is left out stays as it is. If all of it is, the settings are only
// asked for, and nobody needs to sign.
type ChangePool struct {
	Pool       string    `json:"pool,omitempty"`
	Count      string    `json:"count,omitempty"`
	Width      *int      `json:"width,omitempty"`
	Low        *int64    `json:"low,omitempty"`
	Strategy   string    `json:"strategy,omitempty"`
	Recipients *[]string `json:"recipients,omitzero"`
	Change
}

// Asks says whether the settings are only asked for.
func (c ChangePool) Asks() bool {
	return c.Count == "" && c.Width == nil && c.Low == nil && c.Strategy == "" && c.Recipients == nil
}

const (
	maxWidth      = 1000 // keys active at once
	maxRecipients = 20
)

// recipient is an X25519 recipient as age writes it; whether its check digits are right is found out by who seals for it.
var recipient = regexp.MustCompile(`^age1[0-9a-z]{1,60}$`)

func (c ChangePool) checked() (ChangePool, *worker.Invalid) {
	setDefault(&c.Pool, defaultPool)
	switch {
	case c.Count != "" && c.Count != "lines" && c.Count != "units":
		return c, &worker.Invalid{Field: "count", Reason: "must be lines or units"}
	case c.Width != nil && (*c.Width < 1 || *c.Width > maxWidth):
		return c, &worker.Invalid{Field: "width", Reason: fmt.Sprintf("must be 1 to %d keys", maxWidth)}
	case c.Low != nil && (*c.Low < 0 || *c.Low > maxProducts):
		return c, &worker.Invalid{Field: "low", Reason: fmt.Sprintf("must be 0 to %d products", maxProducts)}
	case c.Strategy != "" && c.Strategy != "first" && c.Strategy != "even":
		return c, &worker.Invalid{Field: "strategy", Reason: "must be first or even"}
	case c.Recipients != nil && !recipients(*c.Recipients):
		return c, &worker.Invalid{Field: "recipients", Reason: fmt.Sprintf("must be up to %d different public keys of age, age1…", maxRecipients)}
	}
	if invalid := checkPool(c.Pool); invalid != nil || c.Asks() {
		return c, invalid
	}
	return c, c.signed()
}

func recipients(keys []string) bool {
	wrong := slices.ContainsFunc(keys, func(key string) bool { return !recipient.MatchString(key) })
	return !wrong && len(keys) <= maxRecipients && len(slices.Compact(slices.Sorted(slices.Values(keys)))) == len(keys)
}
