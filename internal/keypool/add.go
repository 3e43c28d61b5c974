package keypool

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"autopurchase/worker"
)

// DefaultLimit is how many products a key may order when nothing else is said.
const DefaultLimit = 1000

// Key is an app key as an administrator adds it. Secrets and tokens are not kept here.
type Key struct {
	Pool    string // see worker.CheckName
	AppKey  string // 1 to 64 letters, digits, "_" or "-"
	Limit   int64  // products it may order; 0 is DefaultLimit
	Account string // buyer account it belongs to, at most 64 bytes; "" when there is only one
	Alipay  string // what pays without a person: none (default), personal or business
	By      string // who adds it, for the journal
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
	return errors.Join(wrong...)
}

func (k Key) withDefaults() Key {
	if k.Limit == 0 {
		k.Limit = DefaultLimit
	}
	if k.Alipay == "" {
		k.Alipay = "none"
	}
	k.Account, k.By = valid(k.Account), valid(k.By)
	return k
}

// addScript adds a key or changes the one that is there; what was counted on it stays counted. Where Redis may be lost and the
// pool be rebuilt, a key is new, and takes nothing, until the journal has it: what it took would be on a key that nobody knows.
//
//	KEYS    the pool's
//	ARGV    1 app key  2 limit  3 account  4 alipay  5 by
//	returns ok and the key | broken <app key>
var addScript = newScript(`
local app, limit, account, alipay, by = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local k = key(app)
if not k and redis.call('LPOS', KEYS[2], app) then return fail('broken', app) end
if not pool.born then create(by) end
local function write(name, value) redis.call('HSET', KEYS[1], app .. '.' .. name, value) end
if not k then
  write('limit', limit) write('used', 0) write('held', 0) write('state', 'new')
  write('account', account) write('alipay', alipay) write('version', 1)
  redis.call('RPUSH', KEYS[2], app)
  redis.call('HINCRBY', KEYS[1], 'size', 1)
  k = key(app)
  if server == '' then join(k) end
  event('added', k, by)
elseif k.limit ~= limit or k.account ~= account or redis.call('HGET', KEYS[1], app .. '.alipay') ~= alipay then
  local before = room(k)
  k.limit, k.account = limit, account
  shift(room(k) - before)
  write('limit', limit) write('account', account) write('alipay', alipay)
  redis.call('HINCRBY', KEYS[1], app .. '.version', 1)
  if k.state == 'spent' and k.used < k.limit then join(k) end
  event('changed', k, by)
  tire(k)
end
if k.state ~= 'new' then alarm() end
return info(k)
`)

// Add adds a key to a pool, which is made with default settings if it is missing. With Config.History it is drawn from as soon as
// its event is flushed. An app key that is there keeps its count and
// its state: its limit, account and alipay change, a spent key whose new limit leaves room comes back, and one whose limit is
// now reached is spent. Adding the same again changes nothing. Errors: Key.Validate's, or a *worker.Trouble.
func (p *Pool) Add(ctx context.Context, k Key) (Info, error) {
	if err := k.Validate(); err != nil {
		return Info{}, err
	}
	k = k.withDefaults()
	if err := p.name(ctx, k.Pool); err != nil {
		return Info{}, err
	}
	return infoOf(k.Pool)(p.run(ctx, k.Pool, addScript, namesOf(k.Pool).keys(), k.AppKey, k.Limit, k.Account, k.Alipay, k.By))
}

// valid makes free text fit for an event.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
