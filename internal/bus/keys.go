package bus

import "context"

// What may be asked about the pools of app keys. Who adds a verb here adds its schemas, its place in the AsyncAPI document and its
// command too, which a test of the program checks.
var (
	KeysAdd   = Verb[AddKey, KeyInfo]{subject: keysPrefix + "add", request: "key-add", reply: "key"}
	KeysList  = Verb[ListKeys, []KeyInfo]{subject: keysPrefix + "list", request: "key-list", reply: "keys"}
	KeysShow  = Verb[ShowKey, KeyInfo]{subject: keysPrefix + "show", request: "key-show", reply: "key"}
	KeysLimit = Verb[LimitKey, KeyInfo]{subject: keysPrefix + "limit", request: "key-limit", reply: "key"}
	KeysProbe = Verb[ChangeKey, ProbedKey]{subject: keysPrefix + "probe", request: "key-change", reply: "key-probed"}
	KeysSeal  = Verb[SealKey, KeyInfo]{subject: keysPrefix + "seal", request: "key-seal", reply: "key"}
	KeysPool  = Verb[ChangePool, PoolSettings]{subject: keysPrefix + "pool", request: "pool-change", reply: "pool-settings"}

	KeysEnable  = Verb[ChangeKey, KeyInfo]{subject: keysPrefix + "enable", request: "key-change", reply: "key"}
	KeysDisable = Verb[ChangeKey, KeyInfo]{subject: keysPrefix + "disable", request: "key-change", reply: "key"}
	KeysBench   = Verb[ChangeKey, KeyInfo]{subject: keysPrefix + "bench", request: "key-change", reply: "key"}
	KeysRestore = Verb[ChangeKey, KeyInfo]{subject: keysPrefix + "restore", request: "key-change", reply: "key"}
	KeysRotate  = Verb[ChangeKey, KeyInfo]{subject: keysPrefix + "rotate", request: "key-change", reply: "key"}

	// What cannot be taken back needs a reason.
	KeysRetire = Verb[ChangeKey, KeyInfo]{subject: keysPrefix + "retire", request: "key-change-explained", reply: "key", explained: true}
	KeysRemove = Verb[ChangeKey, KeyInfo]{subject: keysPrefix + "remove", request: "key-change-explained", reply: "key", explained: true}
	KeysReset  = Verb[ChangeKey, KeyInfo]{subject: keysPrefix + "reset", request: "key-change-explained", reply: "key", explained: true}
)

// looks are the subjects of the verbs that change nothing.
func looks() []string {
	return []string{KeysList.subject, KeysShow.subject, KeysStatement.subject, KeysForecast.subject}
}

// AdminKeys answers on the verbs of the endpoints, as the micro service "autopurchase-keypool". Of several instances one answers
// each request. stop ends it and may be called once; closing the bus ends it too.
func (b *Bus) AdminKeys(ctx context.Context, endpoints ...Endpoint) (stop func(), err error) {
	return b.admin(ctx, serviceKeys, "Administers the pools of app keys.", endpoints...)
}

// KeyInfo is an app key as administrators see it.
type KeyInfo struct {
	AppKey      string `json:"app_key"`
	Pool        string `json:"pool"`
	State       string `json:"state"` // onboarding, ready, active, spent, benched, stopped, disabled, retired or removed
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

// ProbedKey is what a probe found out about a key.
type ProbedKey struct {
	Passed   bool    `json:"passed"`         // 1688 takes the key and its secret
	Code     string  `json:"code,omitempty"` // why not: a worker.Code
	Reason   string  `json:"reason"`
	Restored bool    `json:"restored"` // it was benched, and came back
	Key      KeyInfo `json:"key"`      // as it stands now
}
