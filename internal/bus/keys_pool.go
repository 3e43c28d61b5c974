package bus

import (
	"fmt"

	"autopurchase/worker"
)

// PoolSettings are a pool's settings.
type PoolSettings struct {
	Pool  string `json:"pool"`
	Count string `json:"count"` // what a key's limit counts: lines or units
	Width int    `json:"width"` // how many keys are active at once
	Low   int64  `json:"low"`   // products that all keys together can still take, below which the pool is low; 0 never
}

// ChangePool asks for a pool's settings to be changed: what is left out stays as it is. If all of it is, the settings are only
// asked for, and nobody needs to sign.
type ChangePool struct {
	Pool  string `json:"pool,omitempty"`
	Count string `json:"count,omitempty"`
	Width int    `json:"width,omitempty"`
	Low   *int64 `json:"low,omitempty"`
	Change
}

// Asks says whether the settings are only asked for.
func (c ChangePool) Asks() bool {
	return c.Count == "" && c.Width == 0 && c.Low == nil
}

const maxWidth = 1000 // keys active at once

func (c ChangePool) checked() (ChangePool, *worker.Invalid) {
	setDefault(&c.Pool, defaultPool)
	switch {
	case c.Count != "" && c.Count != "lines" && c.Count != "units":
		return c, &worker.Invalid{Field: "count", Reason: "must be lines or units"}
	case c.Width < 0 || c.Width > maxWidth:
		return c, &worker.Invalid{Field: "width", Reason: fmt.Sprintf("must be 1 to %d keys", maxWidth)}
	case c.Low != nil && (*c.Low < 0 || *c.Low > maxProducts):
		return c, &worker.Invalid{Field: "low", Reason: fmt.Sprintf("must be 0 to %d products", maxProducts)}
	}
	if c.Asks() {
		return c, checkPool(c.Pool)
	}
	if invalid := c.signed(); invalid != nil {
		return c, invalid
	}
	return c, checkPool(c.Pool)
}
