package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go/micro"

	"autopurchase/worker"
)

const (
	// askTimeout bounds a request to a service on the asker's side.
	askTimeout = 10 * time.Second
	// adminTimeout bounds it on the service's side.
	adminTimeout = 5 * time.Second
)

// KeyAdmin is the key pool as its administrators see it. Errors that are *worker.Trouble or *worker.Invalid are told to the
// administrator; others are logged and told as "internal".
type KeyAdmin interface {
	// Add puts a key into a pool; one that is there keeps its count.
	Add(ctx context.Context, key AddKey) (KeyInfo, error)
	// List gives the keys of a pool.
	List(ctx context.Context, pool string) ([]KeyInfo, error)
	// Restore puts a benched key back into use.
	Restore(ctx context.Context, key RestoreKey) (KeyInfo, error)
	// Pool changes a pool's settings as far as they are given, and gives what they are then.
	Pool(ctx context.Context, settings PoolSettings) (PoolSettings, error)
}

// KeyInfo is an app key as administrators see it.
type KeyInfo struct {
	AppKey  string `json:"app_key"`
	Pool    string `json:"pool"`
	State   string `json:"state"`
	Limit   int64  `json:"limit"` // products
	Used    int64  `json:"used"`
	Held    int64  `json:"held"`
	Left    int64  `json:"left"`
	Account string `json:"account,omitempty"`
	Alipay  string `json:"alipay,omitempty"`
	Version int64  `json:"version"`
}

// AddKey asks for a key to be put into a pool. Limit 0 and an empty pool or alipay take the pool's default.
type AddKey struct {
	Pool    string `json:"pool,omitempty"`
	AppKey  string `json:"app_key"`
	Limit   int64  `json:"limit,omitempty"`
	Account string `json:"account,omitempty"`
	Alipay  string `json:"alipay,omitempty"`
	By      string `json:"by,omitempty"` // who asks, for the journal
}

// RestoreKey asks for a benched key to be put back into use.
type RestoreKey struct {
	Pool   string `json:"pool,omitempty"`
	AppKey string `json:"app_key"`
	By     string `json:"by,omitempty"`
}

// PoolSettings are a pool's settings. In a request, what is left out stays as it is.
type PoolSettings struct {
	Pool  string `json:"pool,omitempty"`
	Count string `json:"count,omitempty"` // what a key's limit counts: lines or units
	Width int    `json:"width,omitempty"` // how many keys are active at once
	Low   *int64 `json:"low,omitempty"`   // products that all keys together can still take, below which the pool is low; 0 never
	By    string `json:"by,omitempty"`    // who asks, for the journal
}

// listKeys asks for the keys of a pool.
type listKeys struct {
	Pool string `json:"pool,omitempty"`
}

const defaultPool = "default"

// AdminError is a service's refusal: a code of the vocabulary (worker.Code) in the header Nats-Service-Error-Code, and words
// in Nats-Service-Error.
type AdminError struct {
	Code   string
	Reason string
}

// Error gives code and reason.
func (e *AdminError) Error() string { return e.Code + ": " + e.Reason }

// Admin answers on keypool.admin.add, .list, .restore and .pool. Of several instances one answers each request. stop ends it and may
// be called once; closing the bus ends it too.
func (b *Bus) Admin(ctx context.Context, keys KeyAdmin) (stop func(), err error) {
	service, err := b.serve(serviceKeys, "Administers the pools of app keys.",
		endpoint{"add", SubjectKeysAdd, admin(ctx, b, keys.Add)},
		endpoint{"restore", SubjectKeysRestore, admin(ctx, b, keys.Restore)},
		endpoint{"pool", SubjectKeysPool, admin(ctx, b, keys.Pool)},
		endpoint{"list", SubjectKeysList, admin(ctx, b, func(ctx context.Context, ask listKeys) ([]KeyInfo, error) {
			infos, err := keys.List(ctx, ask.Pool)
			return append([]KeyInfo{}, infos...), err // an empty list, not null
		})})
	if err != nil {
		return nil, err
	}
	return func() { _ = service.Stop() }, nil
}

// admin makes an endpoint out of a function: strict JSON in, JSON or a typed error out.
func admin[Q checked[Q], A any](ctx context.Context, b *Bus, answer func(context.Context, Q) (A, error)) micro.Handler {
	return micro.HandlerFunc(func(r micro.Request) {
		ctx, cancel := context.WithTimeout(ctx, adminTimeout)
		defer cancel()
		question, err := decodeAdmin[Q](r.Data())
		var reply A
		if err == nil {
			reply, err = answer(ctx, question)
		}
		if err == nil {
			err = r.RespondJSON(reply)
		} else {
			refusal := b.refusal(r.Subject(), err)
			err = r.Error(refusal.Code, refusal.Reason, nil)
		}
		if err != nil {
			b.config.Log.Warn().Err(err).Str("subject", r.Subject()).Msg("admin answer was not sent")
		}
	})
}

// checked is a question that fills in its defaults and checks itself.
type checked[Q any] interface {
	checked() (Q, *worker.Invalid)
}

func decodeAdmin[Q checked[Q]](body []byte) (Q, error) {
	var question Q
	if len(body) == 0 {
		body = []byte("{}")
	}
	if err := json.Unmarshal(body, &question, json.RejectUnknownMembers(true)); err != nil {
		return question, unreadable(err)
	}
	question, invalid := question.checked()
	if invalid != nil {
		return question, invalid
	}
	return question, nil
}

// unreadable names the field; the decoder's own words may repeat a value.
func unreadable(err error) *worker.Invalid {
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok || semantic.JSONPointer == "" {
		return &worker.Invalid{Field: "body", Reason: "must be one JSON object with each field once"}
	}
	field := strings.TrimPrefix(string(semantic.JSONPointer), "/")
	if errors.Is(err, json.ErrUnknownName) {
		return &worker.Invalid{Field: field, Reason: "is not a field of this request"}
	}
	return &worker.Invalid{Field: field, Reason: "has the wrong type"}
}

func (b *Bus) refusal(subject string, err error) AdminError {
	if invalid, ok := errors.AsType[*worker.Invalid](err); ok {
		return AdminError{string(worker.CodeInvalid), invalid.Error()}
	}
	if trouble, ok := errors.AsType[*worker.Trouble](err); ok && trouble.Reason != "" {
		return AdminError{string(trouble.Code), trouble.Reason}
	}
	b.config.Log.Error().Err(err).Str("subject", subject).Msg("admin request failed")
	return AdminError{string(worker.CodeInternal), "unexpected error; the worker's log has it"}
}

func (a AddKey) checked() (AddKey, *worker.Invalid) {
	setDefault(&a.Pool, defaultPool)
	switch {
	case a.Limit < 0:
		return a, &worker.Invalid{Field: "limit", Reason: "must be 1 or more products"}
	case a.Alipay != "" && a.Alipay != "none" && a.Alipay != "personal" && a.Alipay != "business":
		return a, &worker.Invalid{Field: "alipay", Reason: "must be none, personal or business"}
	}
	return a, checkKey(a.Pool, a.AppKey)
}

func (r RestoreKey) checked() (RestoreKey, *worker.Invalid) {
	setDefault(&r.Pool, defaultPool)
	return r, checkKey(r.Pool, r.AppKey)
}

func (l listKeys) checked() (listKeys, *worker.Invalid) {
	setDefault(&l.Pool, defaultPool)
	return l, checkPool(l.Pool)
}

func (p PoolSettings) checked() (PoolSettings, *worker.Invalid) {
	setDefault(&p.Pool, defaultPool)
	switch {
	case p.Count != "" && p.Count != "lines" && p.Count != "units":
		return p, &worker.Invalid{Field: "count", Reason: "must be lines or units"}
	case p.Width < 0:
		return p, &worker.Invalid{Field: "width", Reason: "must be 1 or more keys"}
	case p.Low != nil && *p.Low < 0:
		return p, &worker.Invalid{Field: "low", Reason: "must be 0 or more products"}
	}
	return p, checkPool(p.Pool)
}

func checkKey(pool, appKey string) *worker.Invalid {
	if appKey == "" {
		return &worker.Invalid{Field: "app_key", Reason: "must be given"}
	}
	return checkPool(pool)
}

func checkPool(pool string) *worker.Invalid {
	if err := worker.CheckName(pool); err != nil {
		return &worker.Invalid{Field: "pool", Reason: err.Error()}
	}
	return nil
}

// AddKey asks for a key to be put into a pool. Errors: an *AdminError, or nobody answers.
func (b *Bus) AddKey(ctx context.Context, key AddKey) (KeyInfo, error) {
	return askKeys[KeyInfo](ctx, b, SubjectKeysAdd, key)
}

// ListKeys asks for the keys of a pool. Errors as AddKey.
func (b *Bus) ListKeys(ctx context.Context, pool string) ([]KeyInfo, error) {
	return askKeys[[]KeyInfo](ctx, b, SubjectKeysList, listKeys{Pool: pool})
}

// RestoreKey asks for a benched key to be put back into use; by says who asks. Errors as AddKey.
func (b *Bus) RestoreKey(ctx context.Context, pool, appKey, by string) (KeyInfo, error) {
	return askKeys[KeyInfo](ctx, b, SubjectKeysRestore, RestoreKey{Pool: pool, AppKey: appKey, By: by})
}

// Pool changes a pool's settings as far as they are given, and gives what they are then. Errors as AddKey.
func (b *Bus) Pool(ctx context.Context, settings PoolSettings) (PoolSettings, error) {
	return askKeys[PoolSettings](ctx, b, SubjectKeysPool, settings)
}

func askKeys[A any](ctx context.Context, b *Bus, subject string, question any) (A, error) {
	var answer A
	body, err := json.Marshal(question)
	if err != nil {
		return answer, err
	}
	reply, err := b.ask(ctx, subject, body)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(reply, &answer); err != nil {
		return answer, fmt.Errorf("answer on %s cannot be read: %w", subject, err)
	}
	return answer, nil
}
