package keypool

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// script is one Lua script: the common part, the guard, then its own. Its parts are put together only where it is loaded: dozens of
// copies of what scripts share would be what the worker's garbage collector mostly looks at.
type script struct {
	parts []string
	sha   string
	body  string // of a step, which has no parts of its own
	place int    // of a step in batchScript, from 1; 0 if it is none
	long  bool   // it may take longer than a call
}

// scripts are all of them: they are loaded together.
var scripts []*script

// newScript is a script that does nothing in a pool that is not verified; see fence.
func newScript(body string) *script { return loadable(kept, common, guard, fence, body) }

// newOpenScript is a script without the fence: it takes part in a verification.
func newOpenScript(body string) *script { return loadable(kept, common, guard, body) }

// newStep is a script about one claim, which runs as a step of batchScript.
func newStep(place int, body string) *script { return &script{place: place, body: fence + body} }

func loadable(parts ...string) *script {
	sum := sha1.New() // Redis names scripts so
	for _, part := range parts {
		_, _ = io.WriteString(sum, part) // never fails
	}
	s := &script{parts: parts, sha: hex.EncodeToString(sum.Sum(nil))}
	scripts = append(scripts, s)
	return s
}

func (s *script) source() string { return strings.Join(s.parts, "") }

// longest is how long a long script may take: it is about everything that is under way, on every key.
const longest = 10 * time.Second

func lengthy(s *script) *script {
	s.long = true
	return s
}

// allows is how long a script may take, repeats included.
func (p *Pool) allows(s *script) time.Duration {
	if s.long {
		return max(longest, p.config.CallTimeout)
	}
	return p.config.CallTimeout
}

// kept tells scripts ClaimsKept in seconds.
var kept = fmt.Sprintf("local kept = '%d'\n", ClaimsKept/time.Second)

// common is what all scripts share. KEYS are names.keys; every reply begins with a status and the number of events appended.
// Before the ARGV that a script tells of there is one more: the identity of the Redis that the caller is connected to.
//
//	server  that identity, or "" from a caller who does not verify
//	now     Redis's clock, milliseconds
//	pool    the pool's settings; pool.born is false when there is no such pool
//	event   appends to the outbox what happened to the pool, or to a key of it, and whatever more there is to say
//	key     reads a key's books; nil when a counter is missing, which is never taken for 0
//	nth     looks an app key up in the list of active or of ready ones
//	move    books used and held of a key and keeps pool.left, what all usable keys can still take
//	keep    writes a key's used and held, and pool.left
//	leave   takes a key out of use
//	fill    lets ready keys become active until there are as many as the pool's width
//	resting are the states in which a key starts no order whatever room it has
//	tire    takes a key that reached its limit out of use; what a person took out stays as it is
//	join    puts a key into use: active if there is a place, else ready
//	unready says whether a step of the key's onboarding is missing
//	place   puts a key where it belongs: to its onboarding, to the spent ones, or into use
//	admit   places a key of which nothing was ordered yet, once the journal has it where Redis may be lost and the pool be
//	        rebuilt: what it took before would be on a key that nobody knows. Until then it is new
//	bench   takes a key out of use until it is restored
//	same    says whether two keys are of one buyer account; one that names none has an account of its own
//	stop    takes the keys of a key's account out of use until a person restores them, but for those that persons took out
//	depart  has a claim leave a key that turned its order down, which it keeps in mind as far as the route that comes next, another
//	        key, account or business, needs to know
//	punish  does with that key what the route says
//	turned  lists the keys whose accounts turned a claim's order down, and what each entry says
//	info    the reply of scripts about a key
//	also    lists the other keys that a claim is on, of which it is not known which one took the order; on lists all of them
//	loosen  gives back what a claim holds, on each of them
//	finish  writes how the claim ended, with ARGV from first as the outcome's pieces, and for how long it is kept
//	ended   when a claim ended, milliseconds
//	claim   reads the claim; answer is the reply of scripts about one, brief the reply about one that the caller has just changed, as
//	        one text
//	alarm   tells once that the pool is low or exhausted, until it has recovered
//
// Numbers are whole and below 2^53, which Lua keeps exactly and redis.call writes with all their digits.
const common = `
local server = table.remove(ARGV, 1)
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local events = 0

local pool = redis.call('HMGET', KEYS[1], 'born', 'count', 'width', 'low', 'left', 'alarm', 'size', 'server', 'lost', 'strategy',
  'tenants', 'rules', 'preview')
pool = {
  born = tonumber(pool[1] or nil), count = pool[2] or 'lines', width = tonumber(pool[3] or '1'),
  low = tonumber(pool[4] or '100'), left = tonumber(pool[5] or '0'), alarm = tonumber(pool[6] or '0'), size = tonumber(pool[7] or '0'),
  server = pool[8] or '', lost = tonumber(pool[9] or '0'), strategy = pool[10] or 'first',
  tenants = pool[11] or '', rules = tonumber(pool[12] or '0'), preview = pool[13] or 'never',
}

local function fail(status, detail) return {status, events, detail or ''} end

local function event(kind, k, more)
  local e = {
    kind = kind, sequence = redis.call('HINCRBY', KEYS[1], 'seq', 1), at = now, left = pool.left,
    count = pool.count, width = pool.width, low = pool.low, strategy = pool.strategy,
  }
  if k then
    local v = redis.call('HMGET', KEYS[1], k.app .. '.source', k.app .. '.version')
    e.app_key, e.limit, e.used, e.held, e.account, e.alipay = k.app, k.limit, k.used, k.held, k.account, k.alipay
    e.source, e.version, e.state = v[1] or 'own', tonumber(v[2] or '0'), k.state ~= 'new' and k.state or nil
  end
  for name, value in pairs(more or {}) do e[name] = value end
  redis.call('RPUSH', KEYS[5], cjson.encode(e))
  events = events + 1
end

local function key(app)
  local v = redis.call('HMGET', KEYS[1], app .. '.limit', app .. '.used', app .. '.held', app .. '.state', app .. '.account', app .. '.alipay')
  if not (v[1] and v[2] and v[3] and v[4]) then return nil end
  return {
    app = app, limit = tonumber(v[1]), used = tonumber(v[2]), held = tonumber(v[3]), state = v[4], account = v[5] or '', alipay = v[6] or '',
  }
end

local function room(k)
  if k.state ~= 'active' and k.state ~= 'ready' then return 0 end
  return math.max(0, k.limit - k.used - k.held)
end

local function nth(list, i) return redis.call('LINDEX', KEYS[list], i) end

local function shift(by)
  pool.left = pool.left + by
  if by ~= 0 then redis.call('HSET', KEYS[1], 'left', pool.left) end
end

local function keep(k)
  redis.call('HSET', KEYS[1], k.app .. '.used', k.used, k.app .. '.held', k.held, 'left', pool.left)
end

local function move(k, used, held)
  local before = room(k)
  k.used, k.held = k.used + used, math.max(0, k.held + held)
  pool.left = pool.left + room(k) - before
  keep(k)
end

local function become(k, state)
  local before = room(k)
  k.state = state
  redis.call('HSET', KEYS[1], k.app .. '.state', state)
  shift(room(k) - before)
end

local function leave(k, state)
  redis.call('LREM', KEYS[3], 0, k.app)
  redis.call('LREM', KEYS[4], 0, k.app)
  become(k, state)
end

local function fill()
  while redis.call('LLEN', KEYS[3]) < pool.width do
    local app = redis.call('LINDEX', KEYS[4], 0)
    local k = app and key(app)
    if not k then return end
    redis.call('LPOP', KEYS[4])
    redis.call('RPUSH', KEYS[3], app)
    become(k, 'active')
    event('rotated', k)
  end
end

local resting = {onboarding = true, benched = true, stopped = true, disabled = true, retired = true, removed = true}

local function tire(k)
  if k.used < k.limit or k.state == 'spent' or resting[k.state] and k.state ~= 'benched' then return end
  local usable = k.state ~= 'benched'
  leave(k, 'spent')
  event('spent', k)
  if usable then fill() end
end

local function join(k)
  if redis.call('LLEN', KEYS[3]) < pool.width then
    redis.call('RPUSH', KEYS[3], k.app)
    become(k, 'active')
  else
    redis.call('RPUSH', KEYS[4], k.app)
    become(k, 'ready')
  end
end

local function unready(k) return redis.call('HEXISTS', KEYS[1], k.app .. '.onboard') == 1 end

local function place(k)
  if unready(k) then
    become(k, 'onboarding')
  elseif k.used >= k.limit then
    become(k, 'spent')
  else
    join(k)
  end
end

local function admit(k)
  if server == '' or unready(k) then place(k) else become(k, 'new') end
end

local function alarm()
  local level = 0
  if pool.left <= 0 then level = 2 elseif pool.left < pool.low then level = 1 end
  if level == 0 and pool.alarm > 0 then
    pool.alarm = 0
    redis.call('HDEL', KEYS[1], 'alarm')
  elseif level > pool.alarm then
    pool.alarm = level
    redis.call('HSET', KEYS[1], 'alarm', level)
    event(level == 2 and 'exhausted' or 'low')
  end
end

local function bench(k, why)
  if k.state ~= 'spent' and not resting[k.state] then
    leave(k, 'benched')
    event('benched', k, {why = why})
    fill()
  end
  alarm()
end

local function same(k, other) return k.app == other.app or k.account ~= '' and k.account == other.account end

local function stop(k, why)
  for _, app in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local other = key(app)
    if other and same(k, other) and (not resting[other.state] or other.state == 'benched' or other.state == 'onboarding') then
      leave(other, 'stopped')
      event('stopped', other, {why = why})
    end
  end
  fill()
  alarm()
end

local function turned(c)
  local keys, said, i = {}, {}, 0
  while c and c['p' .. i] do
    keys[#keys + 1], said[i + 1] = key(string.match(c['p' .. i], '^%S+')), c['p' .. i]
    i = i + 1
  end
  return keys, said
end

local function depart(c, app, why, next)
  redis.call('HSET', KEYS[6], 's', 'drawn', 'h', app)
  local _, said = turned(c)
  if next ~= 'key' and said[#said] ~= app .. ' ' .. why then redis.call('HSET', KEYS[6], 'p' .. #said, app .. ' ' .. why) end
  if next == 'business' then redis.call('HSET', KEYS[6], 'q', 'business') end
end

local function punish(k, why, next)
  if next == 'key' then bench(k, why) elseif next == 'account' then stop(k, why) else alarm() end
end

local function claim()
  local flat = redis.call('HGETALL', KEYS[6])
  if #flat == 0 then return nil end
  local c = {}
  for i = 1, #flat, 2 do c[flat[i]] = flat[i + 1] end
  c.n, c.a = tonumber(c.n), tonumber(c.a)
  return c
end

local function also(c)
  local apps, i = {}, 0
  while c['e' .. i] do
    apps[i + 1] = c['e' .. i]
    i = i + 1
  end
  return apps
end

local function on(c)
  local apps = also(c)
  if c.k ~= '' then table.insert(apps, 1, c.k) end
  return apps
end

local function loosen(c)
  for _, app in ipairs(on(c)) do
    local k = key(app)
    if k then move(k, 0, -c.n) end
  end
  redis.call('HSET', KEYS[6], 'k', '', 'n', 0)
  for i = 1, #also(c) do redis.call('HDEL', KEYS[6], 'e' .. (i - 1)) end
end

local function finish(state, n, first)
  redis.call('HSET', KEYS[6], 's', state, 'n', n, 'o', '', 'd', now - tonumber(redis.call('HGET', KEYS[6], 't') or '0'))
  for i = first, #ARGV do redis.call('HSET', KEYS[6], 'r' .. (i - first), ARGV[i]) end
  if state == 'unknown' then redis.call('PERSIST', KEYS[6]) else redis.call('EXPIRE', KEYS[6], kept) end
end

local function ended(c) return tonumber(c.t or '0') + tonumber(c.d or '0') end

local function info(k)
  local v = redis.call('HMGET', KEYS[1], k.app .. '.source', k.app .. '.version', k.app .. '.print')
  return {'ok', events, k.app, k.state, k.limit, k.used, k.held, k.account, k.alipay, v[1] or 'own', tonumber(v[2] or '0'), v[3] or ''}
end

local function brief(turn, app, n, attempt, resent)
  return string.format('%d %s %.0f %s %.0f %.0f %.0f', events, turn, now, app, n, attempt, resent or 0)
end

local function answer(c, turn)
  local parts, i = {}, 0
  while c['r' .. i] do
    parts[i + 1] = c['r' .. i]
    i = i + 1
  end
  return {'ok', events, turn, now, c.k, c.n, c.s, c.o, c.a, tonumber(c.t or '0'), ended(c), table.concat(parts), tonumber(c.x or '0'),
    table.concat(also(c), ' ')}
end
`
