package keypool

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"autopurchase/worker"
)

// rebuildScript brings a pool to what the broker has on record, and marks it as verified on this server, in one step. It does
// so only if the pool is still as it was when the history began to be read: another process may have been faster.
//
//	KEYS    the pool's, then the claims of open orders, then the claims of orders under way
//	ARGV    1 server and 2 born as they were seen  3 count  4 width  5 low  6 last sequence of the journal  7 number of keys
//	        for each key    app key, limit, used, floor, benched or "", account, alipay, version (0: not in the journal)
//	        number of open orders
//	        for each one    app key, products, decided at ms, number of pieces, pieces…
//	        for each order under way    lines, units, account; lines and units are 0 for one that was never delivered
//	returns ok
//
// Where the journal is ahead of this Redis, its word on settings and keys counts; else Redis's. Of each key
//
//	used   is the most of what Redis says, what the journal said, and the results with the orders that ended and have none
//	held   is made anew: open orders, claims of orders under way, and lost records
//
// A Redis that has all that is on record is believed, and only marked. Otherwise an order under way whose claim has not ended gets a lost record: the claim may be missing, or not be the last of it.
var rebuildScript = newOpenScript(`
local at = 0
local function word() at = at + 1; return ARGV[at] end
local function number() return tonumber(word()) end
local seen_server, seen_born = word(), word()
if pool.server ~= seen_server or (redis.call('HGET', KEYS[1], 'born') or '') ~= seen_born then return {'ok', events} end

local fresh = not pool.born
if fresh then for i = 1, 5 do redis.call('DEL', KEYS[i]) end end
local count, width, low, last = word(), number(), number(), number()
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
local ahead = fresh or last > seq
if ahead then pool.count, pool.width, pool.low = count, width, low end
while true do
  local head = redis.call('LINDEX', KEYS[5], 0)
  if not head or cjson.decode(head).sequence > last then break end
  redis.call('LPOP', KEYS[5])
end

local behind = ahead
local known, books = redis.call('LRANGE', KEYS[2], 0, -1), {}
for _, app in ipairs(known) do
  local k = key(app)
  books[app] = {here = k, limit = k and k.limit, account = k and k.account, state = k and k.state, used = k and k.used or 0}
end
for _ = 1, number() do
  local app, limit, used, floor = word(), number(), number(), number()
  local benched, account, alipay, version = word(), word(), word(), number()
  local b = books[app]
  if not b and version > 0 then
    b = {used = 0}
    books[app] = b
    known[#known + 1] = app
    redis.call('RPUSH', KEYS[2], app)
  end
  if b then
    b.used, b.sum = math.max(b.used, floor), used
    if version > 0 and (ahead or not b.here) then
      redis.call('HSET', KEYS[1], app .. '.limit', int(limit), app .. '.account', account, app .. '.alipay', alipay, app .. '.version', int(version))
      b.limit, b.account, b.state = limit, account, benched ~= '' and 'benched' or 'new'
    end
  end
end
for app, b in pairs(books) do
  b.held, b.extra, b.sum = 0, 0, b.sum or 0
end

local function book(c)
  local b, n = books[c[2] or ''], tonumber(c[3] or '0')
  if not b then return end
  if c[1] == 'placed' or c[1] == 'partial' then b.extra = b.extra + n
  elseif c[1] ~= 'refused' and c[1] ~= 'cancelled' then b.held = b.held + n end
end
local open = number()
for i = 6, 5 + open do
  local app, n, decided, pieces = word(), number(), word(), number()
  local c = redis.call('HMGET', KEYS[i], 's', 'k', 'n')
  if not c[1] or c[1] == 'drawn' or c[1] == 'sent' then
    behind = true
    redis.call('DEL', KEYS[i])
    redis.call('HSET', KEYS[i], 's', 'unknown', 'k', app, 'n', int(n), 'u', pool.count, 'f', '', 'o', '', 'a', 0, 't', decided, 'd', decided)
    for r = 0, pieces - 1 do redis.call('HSET', KEYS[i], 'r' .. r, word()) end
    c = {'unknown', app, n}
  else
    at = at + pieces
  end
  book(c)
end
local flights = {}
for i = 6 + open, #KEYS do
  local lines, units, account = number(), number(), word()
  local c = redis.call('HMGET', KEYS[i], 's', 'k', 'n')
  book(c)
  if lines > 0 and (not c[1] or c[1] == 'drawn' or c[1] == 'sent') then
    flights[#flights + 1] = {claim = KEYS[i], n = pool.count == 'units' and units or lines, account = account, own = c[2]}
  end
end
for app, b in pairs(books) do
  b.used = math.max(b.used, b.sum + b.extra)
  behind = behind or not b.here or b.used > b.here.used
end
if not behind then
  redis.call('HSET', KEYS[1], 'server', server)
  return {'ok', events}
end

for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(name, 1, 5) == 'lost:' then redis.call('HDEL', KEYS[1], name) end
end
for _, f in ipairs(flights) do
  local record = {int(f.n)}
  for _, app in ipairs(known) do
    local b = books[app]
    if b.limit and app ~= f.own and (f.account == '' or f.account == b.account) and b.used + f.n <= b.limit then
      b.held = b.held + f.n
      record[#record + 1] = app
    end
  end
  redis.call('HSET', KEYS[1], 'lost:' .. f.claim, table.concat(record, ' '))
end

local order, listed = {}, {}
for list = 3, 4 do
  for _, app in ipairs(redis.call('LRANGE', KEYS[list], 0, -1)) do
    if books[app] and not listed[app] then
      order[#order + 1] = app
      listed[app] = true
    end
  end
  redis.call('DEL', KEYS[list])
end
for _, app in ipairs(known) do
  if not listed[app] then order[#order + 1] = app end
end
pool.born, pool.left, pool.alarm, pool.lost = now, 0, 0, #flights
redis.call('HSET', KEYS[1], 'born', int(now), 'server', server, 'count', pool.count, 'width', int(pool.width), 'low', int(pool.low),
  'seq', int(math.max(seq, last)), 'size', #known, 'left', 0, 'alarm', 0, 'lost', #flights)
for _, app in ipairs(order) do
  local b = books[app]
  if b.limit then
    local state = b.state == 'benched' and 'benched' or 'new'
    redis.call('HSET', KEYS[1], app .. '.used', int(b.used), app .. '.held', int(b.held), app .. '.state', state)
    local k = key(app)
    if k.used >= k.limit and state ~= 'benched' then become(k, 'spent') elseif state ~= 'benched' then join(k) end
  end
end
event('rebuilt', nil, '', #known .. ' keys, ' .. #flights .. ' orders under way')
alarm()
return {'ok', events}
`)

// newPoolScript marks a missing pool as one that never was.
//
//	KEYS    the pool's
//	returns ok
var newPoolScript = newOpenScript(`
if not pool.born then redis.call('HSET', KEYS[1], 'new', 1, 'server', server) end
return {'ok', events}
`)

// dropScript removes claims that have not ended although the results of their requests are on record: they are older than
// those, and would be counted a second time. It does nothing once the pool is verified.
//
//	KEYS    the pool's, then the claims
//	ARGV    1 server as it was seen
//	returns ok
var dropScript = newOpenScript(`
if pool.server ~= ARGV[1] then return {'ok', events} end
for i = 6, #KEYS do
  local c = redis.call('HMGET', KEYS[i], 's', 'k', 'n')
  if c[1] == 'drawn' or c[1] == 'sent' then
    local k = key(c[2] or '')
    if k then move(k, 0, -tonumber(c[3] or '0')) end
    redis.call('DEL', KEYS[i])
  end
end
return {'ok', events}
`)

// Rebuild brings a pool to what the broker has on record, if Redis has lost it or, in a pool with a History, if it was not
// verified yet on the Redis that answers now. Keys and settings come from the journal, what was ordered from the results;
// claims are made for the orders of which it is not known whether they exist; and what was delivered and has no result is held
// on every key that could have taken it until it has been looked up. No count is ever lowered. In any other case nothing is
// done, so that any number of processes may rebuild at once and one of them does.
//
// A pool without a journal never was, and stays missing; orders that are waiting for its first key need not fear for their
// claims then, which they would if Add came without this proof. So whoever adds keys rebuilds first, or what a lost pool had
// counted would be forgotten.
//
// Errors: the history's own, or a *worker.Trouble.
func (p *Pool) Rebuild(ctx context.Context, pool string, history History) error {
	if err := nameError(pool); err != nil {
		return err
	}
	before, err := p.standing(ctx, pool)
	if err != nil || before.good {
		return err
	}
	log := p.log.With().Str("pool", pool).Logger()
	past, err := recall(ctx, log, pool, before.known, history)
	if err != nil {
		return err
	}
	if past.last == 0 && before.born == "" {
		_, err = p.run(ctx, pool, newPoolScript, namesOf(pool).keys())
		return err
	}
	log.Warn().Int("requests_under_way", len(past.flights)).Msg("redis was started, emptied or exchanged: the pool is compared with the journal and the results")
	if err := p.name(ctx, pool); err != nil {
		return err
	}
	for claims := range slices.Chunk(past.references(func(f *flight) bool { return f.answered }), chunk) {
		if _, err := p.run(ctx, pool, dropScript, namesOf(pool).keys(claims...), before.server); err != nil {
			return err
		}
	}
	claimed, err := p.claimed(ctx, pool, past.references(func(f *flight) bool { return !f.delivered && !f.answered }))
	if err != nil {
		return err
	}
	references, args := past.script(before, claimed)
	_, err = p.run(ctx, pool, rebuildScript, namesOf(pool).keys(references...), args...)
	return err
}

// standing is how a pool is before it is rebuilt.
type standing struct {
	server, born string // "" when missing
	known        []string
	good         bool // nothing is to be done
}

func (p *Pool) standing(ctx context.Context, pool string) (s standing, err error) {
	here := ""
	if p.guarded() {
		if here, err = p.identify(ctx); err != nil {
			return s, err
		}
	}
	n := namesOf(pool)
	var fields *redis.SliceCmd
	var known *redis.StringSliceCmd
	err = p.together(ctx, func(pipe redis.Pipeliner) {
		fields, known = pipe.HMGet(ctx, n.pool, "server", "born", "new"), pipe.LRange(ctx, n.known, 0, -1)
	})
	if err != nil {
		return s, err
	}
	text := func(i int) string { t, _ := fields.Val()[i].(string); return t }
	s.server, s.born, s.known = text(0), text(1), known.Val()
	if p.guarded() {
		s.good = s.server == here && (s.born != "" || text(2) != "")
	} else {
		s.good = s.born != ""
	}
	return s, nil
}

// script writes the past as the arguments of rebuildScript.
func (p *past) script(before standing, claimed map[string]bool) (references []string, args []any) {
	args = append(args, before.server, before.born, p.settings.Count, p.settings.Width, p.settings.Low, p.last, len(p.keys))
	for _, k := range p.keys {
		benched := ""
		if k.benched {
			benched = "benched"
		}
		args = append(args, k.appKey, k.limit, k.used, k.floor, benched, k.account, k.alipay, k.versions)
	}
	at := len(args)
	args = append(args, 0)
	for _, s := range p.open {
		for _, open := range s.open {
			references = append(references, open.OutOrderID)
			args = append(args, open.AppKey, open.Products, open.part.At.UnixMilli())
			args = appendPieces(args, open.part)
		}
	}
	args[at] = len(references)
	for _, f := range p.flights {
		for _, o := range f.orders {
			switch {
			case f.answered:
			case f.delivered:
				references = append(references, o.reference)
				args = append(args, o.size.Lines, o.size.Units, f.account)
			case claimed[o.reference]:
				references = append(references, o.reference)
				args = append(args, 0, 0, f.account)
			}
		}
	}
	return references, args
}

// appendPieces writes an outcome as the number of its pieces and the pieces.
func appendPieces(args []any, part worker.Part) []any {
	pieces := pack(worker.Part{Code: part.Code, Reason: part.Reason})
	args = append(args, len(pieces))
	for _, piece := range pieces {
		args = append(args, piece)
	}
	return args
}

// references lists those of the flights that are meant.
func (p *past) references(meant func(*flight) bool) (references []string) {
	for _, f := range p.flights {
		if meant(f) {
			for _, o := range f.orders {
				references = append(references, o.reference)
			}
		}
	}
	return references
}

// claimed finds out which references have a claim.
func (p *Pool) claimed(ctx context.Context, pool string, references []string) (map[string]bool, error) {
	n, claimed := namesOf(pool), map[string]bool{}
	for chunk := range slices.Chunk(references, chunk) {
		there := make([]*redis.IntCmd, len(chunk))
		err := p.together(ctx, func(pipe redis.Pipeliner) {
			for i, reference := range chunk {
				there[i] = pipe.Exists(ctx, n.claim+reference)
			}
		})
		if err != nil {
			return nil, err
		}
		for i, reference := range chunk {
			if there[i].Val() > 0 {
				claimed[reference] = true
			}
		}
	}
	return claimed, nil
}

// chunk is how many claims are looked at in one step.
const chunk = 500
