package bus

import (
	"context"
	"fmt"

	"autopurchase/worker"
)

// What may be asked about the pools of app keys. Who adds a verb here adds its schemas, its place in the AsyncAPI document and its
// command too, which a test of the program checks.
var (
	KeysAdd     = Verb[AddKey, KeyInfo]{subject: keysPrefix + "add", request: "key-add", reply: "key"}
	KeysList    = Verb[ListKeys, []KeyInfo]{subject: keysPrefix + "list", request: "key-list", reply: "keys"}
	KeysRestore = Verb[ChangeKey, KeyInfo]{subject: keysPrefix + "restore", request: "key-change", reply: "key"}
	KeysPool    = Verb[ChangePool, PoolSettings]{subject: keysPrefix + "pool", request: "pool-change", reply: "pool-settings"}
)

// AdminKeys answers on the verbs of the endpoints, as the micro service "autopurchase-keypool". Of several instances one answers
// each request. stop ends it and may be called once; closing the bus ends it too.
func (b *Bus) AdminKeys(ctx context.Context, endpoints ...Endpoint) (stop func(), err error) {
	return b.admin(ctx, serviceKeys, "Administers the pools of app keys.", endpoints...)
}

// KeyInfo is an app key as administrators see it.
type KeyInfo struct {
	AppKey      string `json:"app_key"`
	Pool        string `json:"pool"`
	State       string `json:"state"` // onboarding, ready, active, spent, benched, disabled, retired or removed
	Limit       int64  `json:"limit"` // products
	Used        int64  `json:"used"`
	Held        int64  `json:"held"`
	Left        int64  `json:"left"`
	Account     string `json:"account"`
	Alipay      string `json:"alipay"`      // none, personal or business
	Source      string `json:"source"`      // own or managed
	Version     int64  `json:"version"`     // counts what persons changed
	Fingerprint string `json:"fingerprint"` // of the secret that was sealed for it; "" for none
}

// AddKey asks for a key to be put into a pool. Limit 0 and an empty pool, alipay or source take the default.
type AddKey struct {
	Pool    string `json:"pool,omitempty"`
	AppKey  string `json:"app_key"`
	Limit   int64  `json:"limit,omitempty"`
	Account string `json:"account,omitempty"`
	Alipay  string `json:"alipay,omitempty"`
	Source  string `json:"source,omitempty"`
	Onboard bool   `json:"onboard,omitempty"` // it takes no order before its onboarding is done
	Version int64  `json:"version,omitempty"` // that the key has, or the change is refused; 0 any
	Change
}

// ListKeys asks for the keys of a pool.
type ListKeys struct {
	Pool string `json:"pool,omitempty"`
}

// ChangeKey asks for a key to be changed as its verb says.
type ChangeKey struct {
	Pool    string `json:"pool,omitempty"`
	AppKey  string `json:"app_key"`
	Version int64  `json:"version,omitempty"` // that the key has, or the change is refused; 0 any
	Change
}

const (
	defaultPool = "default"
	maxProducts = 1_000_000_000 // of a limit or a low-water mark
	maxAccount  = 64            // characters
)

func (a AddKey) checked() (AddKey, *worker.Invalid) {
	setDefault(&a.Pool, defaultPool)
	switch {
	case a.Limit < 0 || a.Limit > maxProducts:
		return a, &worker.Invalid{Field: "limit", Reason: fmt.Sprintf("must be 1 to %d products", maxProducts)}
	case !visible(a.Account, maxAccount):
		return a, &worker.Invalid{Field: "account", Reason: fmt.Sprintf("must have at most %d visible characters", maxAccount)}
	case a.Alipay != "" && a.Alipay != "none" && a.Alipay != "personal" && a.Alipay != "business":
		return a, &worker.Invalid{Field: "alipay", Reason: "must be none, personal or business"}
	case a.Source != "" && a.Source != "own" && a.Source != "managed":
		return a, &worker.Invalid{Field: "source", Reason: "must be own or managed"}
	}
	return a, changes(a.Pool, a.AppKey, a.Version, a.Change)
}

func (l ListKeys) checked() (ListKeys, *worker.Invalid) {
	setDefault(&l.Pool, defaultPool)
	return l, checkPool(l.Pool)
}

func (c ChangeKey) checked() (ChangeKey, *worker.Invalid) {
	setDefault(&c.Pool, defaultPool)
	return c, changes(c.Pool, c.AppKey, c.Version, c.Change)
}

// changes says what is wrong with what every change of a key has.
func changes(pool, appKey string, version int64, c Change) *worker.Invalid {
	if invalid := checkKey(pool, appKey); invalid != nil {
		return invalid
	}
	if version < 0 {
		return &worker.Invalid{Field: "version", Reason: "must be the version of the key, from 1"}
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
