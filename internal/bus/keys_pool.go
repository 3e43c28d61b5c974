package bus

import (
	"cmp"
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
	// Tenants are those who may draw, with the weight of each where several wait for room; none: everybody may, with the same weight.
	Tenants map[string]int `json:"tenants"`
	// Preview is whether orders whose request does not say are previewed before they are drawn for: never, always, or above, if
	// the request's expected sum is above PreviewAbove, yuan, or not known.
	Preview      string `json:"preview"`
	PreviewAbove string `json:"preview_above,omitempty"`
	// Sellers are those that take keys with one kind of Alipay only, and which: business.
	Sellers map[string]string `json:"sellers"`
	Version int64             `json:"version"` // counts the changes, but for those of the sellers
}

// ChangePool asks for a pool's settings to be changed: what is left out stays as it is. If all of it is, the settings are only
// asked for, and nobody needs to sign.
type ChangePool struct {
	Pool       string          `json:"pool,omitempty"`
	Count      string          `json:"count,omitempty"`
	Width      *int            `json:"width,omitempty"`
	Low        *int64          `json:"low,omitempty"`
	Strategy   string          `json:"strategy,omitempty"`
	Recipients *[]string       `json:"recipients,omitzero"`
	Tenants    *map[string]int `json:"tenants,omitzero"`
	// PreviewAbove goes with the preview above, and with no other.
	Preview      string `json:"preview,omitempty"`
	PreviewAbove string `json:"preview_above,omitempty"`
	// Sellers are what is to be said of these sellers, business or any; of the others, what was said of them stands.
	Sellers map[string]string `json:"sellers,omitempty"`
	Change
}

// Asks says whether the settings are only asked for.
func (c ChangePool) Asks() bool { return !c.Sets() && len(c.Sellers) == 0 }

// Sets says whether it changes more than what is known of sellers.
func (c ChangePool) Sets() bool {
	return c.Count != "" || c.Width != nil || c.Low != nil || c.Strategy != "" || c.Recipients != nil || c.Tenants != nil ||
		c.Preview != "" || c.PreviewAbove != ""
}

const (
	maxWidth      = 1000 // keys active at once
	maxRecipients = 20
	maxTenants    = 1000
	maxWeight     = 1000
	maxSellers    = 100 // that one message is about
	maxSeller     = 64  // characters

	maxMoney worker.Fen = 999_999_999_999 // as much as the schemas' money can say
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
	if invalid := cmp.Or(c.checkPreview(), c.checkParties()); invalid != nil {
		return c, invalid
	}
	if invalid := checkPool(c.Pool); invalid != nil || c.Asks() {
		return c, invalid
	}
	return c, c.signed()
}

// checkPreview says what is wrong with the previews.
func (c ChangePool) checkPreview() *worker.Invalid {
	sum, err := worker.ParseYuan(c.PreviewAbove)
	above := c.Preview == string(worker.PreviewAbove)
	switch {
	case c.Preview != "" && c.Preview != string(worker.PreviewNever) && c.Preview != string(worker.PreviewAlways) && !above:
		return &worker.Invalid{Field: "preview", Reason: "must be never, always or above"}
	case above && (err != nil || sum < 1 || sum > maxMoney):
		return &worker.Invalid{Field: "preview_above", Reason: "must be yuan above 0 as decimal text with at most 2 decimals, such as \"500\""}
	case !above && c.PreviewAbove != "":
		return &worker.Invalid{Field: "preview_above", Reason: "goes with preview above only"}
	}
	return nil
}

// checkParties says what is wrong with the tenants and the sellers.
func (c ChangePool) checkParties() *worker.Invalid {
	if c.Tenants != nil && len(*c.Tenants) > maxTenants {
		return &worker.Invalid{Field: "tenants", Reason: fmt.Sprintf("must be up to %d", maxTenants)}
	}
	if c.Tenants != nil {
		for tenant, weight := range *c.Tenants {
			if worker.CheckName(tenant) != nil || weight < 1 || weight > maxWeight {
				return &worker.Invalid{Field: "tenants", Reason: fmt.Sprintf("must give tenants' names a weight of 1 to %d", maxWeight)}
			}
		}
	}
	for seller, takes := range c.Sellers {
		if seller == "" || !visible(seller, maxSeller) || takes != "business" && takes != "any" || len(c.Sellers) > maxSellers {
			return &worker.Invalid{Field: "sellers", Reason: fmt.Sprintf("must say business or any of up to %d sellers", maxSellers)}
		}
	}
	return nil
}

func recipients(keys []string) bool {
	wrong := slices.ContainsFunc(keys, func(key string) bool { return !recipient.MatchString(key) })
	return !wrong && len(keys) <= maxRecipients && len(slices.Compact(slices.Sorted(slices.Values(keys)))) == len(keys)
}
