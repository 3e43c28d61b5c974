package keypool

import (
	"time"

	"autopurchase/worker"
)

// Change says who changes something and why.
type Change struct {
	ID      string // of the message that asks for it: the same again changes nothing for a day; "" has none
	By, Why string // for the journal
	Version int64  // what the change was thought out against; 0 for any
}

// remembered is how long the id of a change is known.
const remembered = 24 * time.Hour

// keys are KEYS of a script about a change: the last one remembers its id.
func (c Change) keys(n names) []string { return append(n.keys(), n.change+c.ID) }

// args are what a script gets after its own arguments, which are what the change means.
func (c Change) args(own ...any) []any {
	return append(own, c.ID, valid(c.By), valid(c.Why), c.Version, int(remembered/time.Second))
}

// change is what the scripts of administrators share. The last of ARGV are Change.args.
//
//	change   who, why, and against which version
//	repeated the reply to a change whose id is known, which is true if it is the same one; false for a new one
//	made     remembers the id of a change
//	tell     is event, with who and why
//	stale    is the reply to a change against another version; nil if it is about this one
//	asked    the key that a change is about; else nil and the reply
//	create   writes the pool's settings, and makes the pool if it is missing; one of which it is proven that it never was
//	         is born at 0, so that no order can be older
const change = `
local seconds, change, meaning = table.remove(ARGV), {}, ''
change.version, change.why, change.by = tonumber(table.remove(ARGV)), table.remove(ARGV), table.remove(ARGV)
change.id = table.remove(ARGV)
meaning = table.concat(ARGV, '\0')

local function repeated()
  local known = change.id ~= '' and redis.call('GET', KEYS[6])
  if not known then return false end
  if known == meaning or known == '' then return true end
  return fail('reused', change.id)
end

local function made() if change.id ~= '' then redis.call('SET', KEYS[6], meaning, 'EX', seconds) end end

local function tell(kind, k, more)
  more = more or {}
  more.by, more.why, more.change = change.by, change.why, change.id
  event(kind, k, more)
end

local function stale(version)
  version = tonumber(version or '0')
  if change.version > 0 and change.version ~= version then return fail('stale', change.version .. ', ' .. version) end
end

local function asked(app)
  local known, k = repeated(), key(app)
  if type(known) == 'table' then return nil, known end
  if k and known then return nil, info(k) end
  if not k or k.state == 'removed' then return nil, fail('no_such_key', app) end
  local old = stale(redis.call('HGET', KEYS[1], app .. '.version'))
  if old then return nil, old end
  return k
end

local function create(recipients)
  local never_was = redis.call('HGET', KEYS[1], 'new')
  redis.call('HSETNX', KEYS[1], 'born', never_was and 0 or now)
  redis.call('HSET', KEYS[1], 'count', pool.count, 'width', pool.width, 'low', pool.low, 'strategy', pool.strategy, 'tenants', pool.tenants,
    'recipients', recipients, 'preview', pool.preview, ` + table + `)
  tell('pool', nil, {version = redis.call('HINCRBY', KEYS[1], 'version', 1), recipients = recipients, tenants = pool.tenants,
    preview = pool.preview})
end
`

// newChange is a script of an administrator.
func newChange(body string) *script { return newScript(change + body) }

// rememberScript remembers the ids of changes that the journal has, whatever they meant.
//
//	KEYS    the pool's, then the changes
//	ARGV    1 seconds
//	returns ok
var rememberScript = newOpenScript(`
for i = 6, #KEYS do redis.call('SET', KEYS[i], '', 'NX', 'EX', ARGV[1]) end
return {'ok', events}
`)

// denials are the statuses of scripts that tell an administrator why a change is not made, with the field that it is about.
var denials = map[string]worker.Denied{
	"no_such_key": {Code: worker.DenyUnknownKey, Field: "app_key", Reason: "is not in the pool: "},
	"stale":       {Code: worker.DenyStale, Field: "version", Reason: "it was changed meanwhile (asked about, now): "},
	"wrong_state": {Code: worker.DenyState, Field: "app_key", Reason: "it cannot be done with a key that is "},
	"managed":     {Code: worker.DenyState, Field: "app_key", Reason: "its secret is the relay operator's, in the keys file there: "},
	"in_use":      {Code: worker.DenyInUse, Field: "app_key", Reason: "orders under way or unknown hold its products: "},
	"no_other":    {Code: worker.DenyState, Field: "app_key", Reason: "no other key is ready to take over from "},
	"reused":      {Code: worker.DenyReused, Field: "Nats-Msg-Id", Reason: "belongs to another change: "},
}
