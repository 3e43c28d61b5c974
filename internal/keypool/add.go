package keypool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"autopurchase/worker"
)

// DefaultLimit is how many products a key may order when nothing else is said.
const DefaultLimit = 1000

// Key is an app key as an administrator adds it. Its secret and its tokens are no part of it.
type Key struct {
	Pool    string // see worker.CheckName
	AppKey  string // 1 to 64 letters, digits, "_" or "-"
	Limit   int64  // products it may order; 0 is DefaultLimit
	Account string // buyer account it belongs to, at most 64 bytes; "" when there is only one
	Alipay  string // what pays without a person: none (default), personal or business
	Source  string // whose secret it has: own (default), kept sealed in the pool, or managed, the relay operator's
	Onboard bool   // a new key takes no order before every step of its onboarding is done
	Change  Change
}

// Validate names everything that is wrong with the key.
func (k Key) Validate() error {
	var wrong []error
	if err := worker.CheckName(k.Pool); err != nil {
		wrong = append(wrong, fmt.Errorf("pool: %w", err))
	}
	if err := worker.CheckName(k.AppKey); err != nil {
		wrong = append(wrong, fmt.Errorf("app_key: %w", err))
	}
	if k.Limit < 0 || k.Limit > maxCount {
		wrong = append(wrong, fmt.Errorf("limit: %d is not between 0 and %d", k.Limit, maxCount))
	}
	if len(k.Account) > fieldLimit {
		wrong = append(wrong, fmt.Errorf("account: is longer than %d bytes", fieldLimit))
	}
	switch k.Alipay {
	case "", "none", "personal", "business":
	default:
		wrong = append(wrong, errors.New("alipay: must be none, personal or business"))
	}
	switch k.Source {
	case "", "own", "managed":
	default:
		wrong = append(wrong, errors.New("source: must be own or managed"))
	}
	return errors.Join(wrong...)
}

func (k Key) withDefaults() Key {
	if k.Limit == 0 {
		k.Limit = DefaultLimit
	}
	k.Alipay, k.Source, k.Account = cmp.Or(k.Alipay, "none"), cmp.Or(k.Source, "own"), valid(k.Account)
	return k
}

// addScript adds a key, takes back a removed one, or changes the one that is there; what was counted on it stays counted.
//
//	KEYS    the pool's, then the change
//	ARGV    1 app key  2 limit  3 account  4 alipay  5 source  6 1 if it is to be onboarded
//	returns ok and the key | broken <app key> | stale | reused
var addScript = newChange(`
local app, limit, account, alipay, source = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local known, k = repeated(), key(app)
if type(known) == 'table' then return known end
if k and known then return info(k) end
if not k and redis.call('LPOS', KEYS[2], app) then return fail('broken', app) end
local v = redis.call('HMGET', KEYS[1], app .. '.version', app .. '.source')
local old = stale(v[1])
if old then return old end
if not pool.born then create('') end

local function write()
  redis.call('HSET', KEYS[1], app .. '.limit', limit, app .. '.account', account, app .. '.alipay', alipay, app .. '.source', source)
  redis.call('HINCRBY', KEYS[1], app .. '.version', 1)
end
if not k or k.state == 'removed' then
  write()
  for _, counter in ipairs({'.used', '.held'}) do redis.call('HSETNX', KEYS[1], app .. counter, 0) end
  redis.call('HSET', KEYS[1], app .. '.state', 'new')
  if ARGV[6] == '1' and not k then redis.call('HSET', KEYS[1], app .. '.onboard', 1) end
  redis.call('RPUSH', KEYS[2], app)
  pool.size = redis.call('HINCRBY', KEYS[1], 'size', 1)
  k = key(app)
  admit(k)
  tell('added', k)
elseif k.limit ~= limit or k.account ~= account or k.alipay ~= alipay or (v[2] or 'own') ~= source then
  local before = room(k)
  k.limit, k.account, k.alipay = limit, account, alipay
  shift(room(k) - before)
  write()
  if k.state == 'spent' and k.used < k.limit then place(k) end
  tell('changed', k)
  tire(k)
end
made()
if k.state ~= 'new' then alarm() end
return info(k)
`)

// Add adds a key to a pool, which is made with default settings if it is missing. With Config.History it is drawn from as soon as
// its event is flushed. An app key that is there keeps its count and its state: its limit, account, alipay and source change, a
// spent key whose new limit leaves room comes back, and one whose limit is now reached is spent. One that was removed comes back
// with what was counted on it. Adding the same again changes nothing. Errors: Key.Validate's, *worker.Denied, or a
// *worker.Trouble.
func (p *Pool) Add(ctx context.Context, k Key) (Info, error) {
	if err := k.Validate(); err != nil {
		return Info{}, err
	}
	k = k.withDefaults()
	if err := p.name(ctx, k.Pool); err != nil {
		return Info{}, err
	}
	onboard := 0
	if k.Onboard {
		onboard = 1
	}
	args := k.Change.args(k.AppKey, k.Limit, k.Account, k.Alipay, k.Source, onboard)
	return infoOf(k.Pool)(p.run(ctx, k.Pool, addScript, k.Change.keys(namesOf(k.Pool)), args...))
}

// valid makes free text fit for an event.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
