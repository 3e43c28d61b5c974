package keypool

import (
	"context"
	"fmt"
)

// Verb is what a person does with a key.
type Verb string

// The verbs. What is so already stays as it is.
const (
	Disable Verb = "disable" // takes it out of use, until a person enables it
	Enable  Verb = "enable"  // puts a disabled or a retired key back
	Bench   Verb = "bench"   // takes it out of use until it is restored, as the machine does by itself
	Restore Verb = "restore" // puts a benched or a stopped key back
	Revive  Verb = "revive"  // puts a benched key back, and leaves a stopped one alone: the machine's own restore
	Retire  Verb = "retire"  // ends its work
	Remove  Verb = "remove"  // takes it off the pool; its count is kept, and goes on if it is added again
	Reset   Verb = "reset"   // what was counted counts no longer
	Rotate  Verb = "rotate"  // sends an active key to the end of the ready ones; the next one takes over
)

// alterScript does with a key what a person says.
//
//	KEYS    the pool's, then the change
//	ARGV    1 app key  2 verb, or limit  3 the new limit or ""
//	returns ok and the key | no_such_key | stale | wrong_state | in_use | no_other | reused
//
// A key that is out of use starts no order once this has returned. Those that are under way on it end as they end, and count.
var alterScript = newChange(`
local app, verb = ARGV[1], ARGV[2]
local k, answered = asked(app)
if not k then return answered end

local function wrong() return fail('wrong_state', k.state) end
local function free() if k.held > 0 then return fail('in_use', tostring(k.held)) end end
local function altered(kind, more)
  redis.call('HINCRBY', KEYS[1], app .. '.version', 1)
  tell(kind, k, more)
end
local function out(state, kind)
  leave(k, state)
  altered(kind)
  fill()
end
local function back(kind)
  place(k)
  altered(kind)
end

local verbs = {}
function verbs.disable()
  if k.state == 'retired' then return wrong() end
  if k.state ~= 'disabled' then out('disabled', 'disabled') end
end
function verbs.enable()
  if k.state == 'disabled' or k.state == 'retired' then back('enabled') elseif resting[k.state] then return wrong() end
end
function verbs.bench()
  if k.state == 'benched' or k.state == 'spent' then return end
  if resting[k.state] then return wrong() end
  out('benched', 'benched')
end
function verbs.revive()
  if k.state == 'benched' then back('restored') end
end
function verbs.restore()
  if k.state == 'benched' or k.state == 'stopped' then back('restored') elseif resting[k.state] then return wrong() end
end
function verbs.retire()
  if k.state == 'onboarding' then return wrong() end
  if k.state == 'retired' then return end
  local held = free()
  if held then return held end
  out('retired', 'retired')
end
function verbs.remove()
  local held = free()
  if held then return held end
  redis.call('LREM', KEYS[2], 0, app)
  pool.size = redis.call('HINCRBY', KEYS[1], 'size', -1)
  out('removed', 'removed')
end
function verbs.reset()
  if k.used == 0 then return end
  local before, cleared = room(k), k.used
  k.used = 0
  redis.call('HSET', KEYS[1], app .. '.used', 0)
  redis.call('HINCRBY', KEYS[1], app .. '.cleared', cleared)
  shift(room(k) - before)
  if k.state == 'spent' then place(k) end
  altered('reset', {cleared = cleared})
end
function verbs.rotate()
  if k.state ~= 'active' then return wrong() end
  if redis.call('LLEN', KEYS[4]) == 0 then return fail('no_other', app) end
  leave(k, 'ready')
  redis.call('RPUSH', KEYS[4], app)
  altered('changed')
  fill()
end
function verbs.limit()
  local limit, before = tonumber(ARGV[3]), room(k)
  if limit == k.limit then return end
  k.limit = limit
  redis.call('HSET', KEYS[1], app .. '.limit', limit)
  shift(room(k) - before)
  if k.state == 'spent' and k.used < limit then place(k) end
  altered('changed')
  tire(k)
end

local refused = verbs[verb]()
if refused then return refused end
made()
if k.state ~= 'new' then alarm() end
return info(k)
`)

// Alter does with a key what a person says, in one step. Errors: *worker.Denied, or a *worker.Trouble.
func (p *Pool) Alter(ctx context.Context, pool, appKey string, verb Verb, c Change) (Info, error) {
	return p.alter(ctx, pool, c, appKey, string(verb), "")
}

// Limit sets how many products a key may order. One that is at or below what was ordered shows nothing left, and the key is
// spent; one above it puts a spent key back into use. Errors as Alter's, and one that names the limit.
func (p *Pool) Limit(ctx context.Context, pool, appKey string, limit int64, c Change) (Info, error) {
	if limit < 1 || limit > maxCount {
		return Info{}, fmt.Errorf("limit: %d is not between 1 and %d", limit, maxCount)
	}
	return p.alter(ctx, pool, c, appKey, "limit", limit)
}

func (p *Pool) alter(ctx context.Context, pool string, c Change, own ...any) (Info, error) {
	return infoOf(pool)(p.run(ctx, pool, alterScript, c.keys(namesOf(pool)), c.args(own...)...))
}
