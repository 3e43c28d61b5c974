package bus

import (
	"fmt"

	"autopurchase/worker"
)

// AddKey asks for a key to be put into a pool. Limit 0 and an empty pool, alipay or source take the default.
type AddKey struct {
	Pool    string `json:"pool,omitempty"`
	AppKey  string `json:"app_key"`
	Limit   int64  `json:"limit,omitempty"`
	Account string `json:"account,omitempty"`
	Alipay  string `json:"alipay,omitempty"`
	Source  string `json:"source,omitempty"`
	Onboard bool   `json:"onboard,omitempty"` // it takes no order before its onboarding is done
	Change
}

// ListKeys asks for the keys of a pool.
type ListKeys struct {
	Pool string `json:"pool,omitempty"`
}

// ShowKey asks for one key.
type ShowKey struct {
	Pool   string `json:"pool,omitempty"`
	AppKey string `json:"app_key"`
}

// LimitKey asks for a key's limit to be changed.
type LimitKey struct {
	Pool   string `json:"pool,omitempty"`
	AppKey string `json:"app_key"`
	Limit  int64  `json:"limit"` // products
	Change
}

// ChangeKey asks for a key to be changed as its verb says.
type ChangeKey struct {
	Pool   string `json:"pool,omitempty"`
	AppKey string `json:"app_key"`
	Change
}

const (
	defaultPool = "default"
	maxProducts = 1_000_000_000 // of a limit or a low-water mark
	maxAccount  = 64            // characters
	limits      = "must be 1 to 1000000000 products"
)

func (a AddKey) checked() (AddKey, *worker.Invalid) {
	setDefault(&a.Pool, defaultPool)
	switch {
	case a.Limit < 0 || a.Limit > maxProducts:
		return a, &worker.Invalid{Field: "limit", Reason: limits}
	case !visible(a.Account, maxAccount):
		return a, &worker.Invalid{Field: "account", Reason: fmt.Sprintf("must have at most %d visible characters", maxAccount)}
	case a.Alipay != "" && a.Alipay != "none" && a.Alipay != "personal" && a.Alipay != "business":
		return a, &worker.Invalid{Field: "alipay", Reason: "must be none, personal or business"}
	case a.Source != "" && a.Source != "own" && a.Source != "managed":
		return a, &worker.Invalid{Field: "source", Reason: "must be own or managed"}
	}
	return a, changes(a.Pool, a.AppKey, a.Change)
}

func (l ListKeys) checked() (ListKeys, *worker.Invalid) {
	setDefault(&l.Pool, defaultPool)
	return l, checkPool(l.Pool)
}

func (s ShowKey) checked() (ShowKey, *worker.Invalid) {
	setDefault(&s.Pool, defaultPool)
	return s, checkKey(s.Pool, s.AppKey)
}

func (l LimitKey) checked() (LimitKey, *worker.Invalid) {
	setDefault(&l.Pool, defaultPool)
	if l.Limit < 1 || l.Limit > maxProducts {
		return l, &worker.Invalid{Field: "limit", Reason: limits}
	}
	return l, changes(l.Pool, l.AppKey, l.Change)
}

func (c ChangeKey) checked() (ChangeKey, *worker.Invalid) {
	setDefault(&c.Pool, defaultPool)
	return c, changes(c.Pool, c.AppKey, c.Change)
}

// changes says what is wrong with what every change of a key has.
func changes(pool, appKey string, c Change) *worker.Invalid {
	if invalid := checkKey(pool, appKey); invalid != nil {
		return invalid
	}
	return c.signed()
}

func checkKey(pool, appKey string) *worker.Invalid {
	if err := worker.CheckName(appKey); err != nil {
		return &worker.Invalid{Field: "app_key", Reason: err.Error()}
	}
	return checkPool(pool)
}

func checkPool(pool string) *worker.Invalid {
	if err := worker.CheckName(pool); err != nil {
		return &worker.Invalid{Field: "pool", Reason: err.Error()}
	}
	return nil
}
