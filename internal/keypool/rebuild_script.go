package keypool

// rebuildScript brings a pool to what the broker has on record, and marks it as verified on this server, in one step. It does
// so only if the pool is still as it was when the history began to be read: another process may have been faster.
//
//	KEYS    the pool's, then the claims of open orders, then the claims of orders under way
//	ARGV    number of sellers, and for each one its name and the kind of Alipay that it asks for
//	        server and born as they were seen, count, width, low, strategy, recipients, tenants, preview, version of these, last sequence
//	        of the journal, the app keys that are drawn from in their order, number of keys
//	        for each key    app key, limit, used, certain, floor, cleared, state, 1 if it is to be onboarded, account, alipay,
//	                        source, version (0: not in the journal), fingerprint of the secret or ""
//	        number of open orders
//	        for each one    app keys, products, decided at ms, number of pieces, pieces…
//	        for each order under way    lines, units, account; lines and units are 0 for one that was never delivered
//	returns ok
//
// Where the journal is ahead of this Redis, its word on settings and keys counts; else Redis's. Of each key
//
// A lost record is on the keys that are not spent and had room for the order beside what they certainly took: what was counted on
// several keys for one order was on one of them.
//
//	used   is the most of what Redis says, what the journal said, and the results with the orders that ended and have none
//	held   is made anew: open orders, claims of orders under way, and lost records
//
// A key that is new here and not in the journal goes on waiting for it.
//
// A Redis that has all that is on record is believed, and only marked. Otherwise an order under way whose claim has not ended
// gets a lost record: the claim may be missing, or not be the last of it.
var rebuildScript = lengthy(newOpenScript(rules + `
local at = 0
local function word() at = at + 1; return ARGV[at] end
local function number() return tonumber(word()) end
local sellers = {}
for _ = 1, number() do sellers[word()] = word() end
local seen_server, seen_born = word(), word()
if pool.server ~= seen_server or (redis.call('HGET', KEYS[1], 'born') or '') ~= seen_born then return {'ok', events} end

local fresh = not pool.born
if fresh then for i = 1, 5 do redis.call('DEL', KEYS[i]) end end
local count, width, low, strategy, recipients = word(), number(), number(), word(), word()
local tenants, preview, version, last, line = word(), word(), number(), number(), word()
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
local ahead = fresh or last > seq
if ahead then
  pool.count, pool.width, pool.low, pool.strategy, pool.tenants = count, width, low, strategy, tenants
  redis.call('HSET', KEYS[1], 'recipients', recipients, 'tenants', tenants, 'preview', preview, 'version', version)
  for seller, alipay in pairs(sellers) do restrict(seller, alipay) end
end
take(last, math.huge)

local behind = ahead
local known, books = redis.call('LRANGE', KEYS[2], 0, -1), {}
local function open(app)
  local k = key(app)
  books[app] = {here = k, limit = k and k.limit, account = k and k.account, state = k and k.state, used = k and k.used or 0}
  return books[app]
end
for _, app in ipairs(known) do open(app) end
for _ = 1, number() do
  local app, limit, used, certain, floor, cleared = word(), number(), number(), number(), number(), number()
  local state, onboard, account, alipay, source, version, print = word(), word(), word(), word(), word(), number(), word()
  local b = books[app]
  if not b and version > 0 then
    b = open(app)
    known[#known + 1] = app
  end
  if b then
    b.recorded = version > 0
    local more = cleared - tonumber(redis.call('HGET', KEYS[1], app .. '.cleared') or '0')
    if more > 0 then
      b.used = math.max(0, b.used - more)
      redis.call('HSET', KEYS[1], app .. '.cleared', cleared)
    elseif more < 0 then -- the journal does not have the last reset yet
      used, certain, floor = math.max(0, used + more), math.max(0, certain + more), 0
    end
    b.used, b.sum, b.certain = math.max(b.used, floor), used, certain
    if version > 0 and (ahead or not b.here) then
      redis.call('HSET', KEYS[1], app .. '.limit', limit, app .. '.account', account, app .. '.alipay', alipay,
        app .. '.source', source, app .. '.version', version)
      if onboard == '1' then redis.call('HSET', KEYS[1], app .. '.onboard', 1) else redis.call('HDEL', KEYS[1], app .. '.onboard') end
      if print ~= '' then redis.call('HSET', KEYS[1], app .. '.print', print) end
      b.limit, b.account, b.state = limit, account, resting[state] and state or 'new'
    end
  end
end
for app, b in pairs(books) do
  b.held, b.extra, b.sum, b.certain = 0, 0, b.sum or 0, b.certain or 0
end

local function standing(i)
  local c = redis.call('HMGET', KEYS[i], 's', 'k', 'n', 'e0')
  local apps, app = {c[2] or ''}, c[4]
  while app do
    apps[#apps + 1] = app
    app = redis.call('HGET', KEYS[i], 'e' .. (#apps - 1))
  end
  return c[1], apps, tonumber(c[3] or '0')
end

local function book(state, apps, n)
  for _, app in ipairs(apps) do
    local b = books[app]
    if b and (state == 'placed' or state == 'partial') then
      b.extra = b.extra + n
      if #apps == 1 then b.certain = b.certain + n end
    elseif b and state ~= 'refused' and state ~= 'cancelled' then
      b.held = b.held + n
    end
  end
end
local open = number()
for i = 6, 5 + open do
  local named, n, decided, pieces = word(), number(), word(), number()
  local state, apps, products = standing(i)
  if not state or state == 'drawn' or state == 'sent' then
    behind = true
    redis.call('DEL', KEYS[i])
    redis.call('HSET', KEYS[i], 's', 'unknown', 'k', string.match(named, '%S+'), 'n', n, 'u', pool.count, 'f', '', 'o', '', 'a', 0,
      't', decided, 'd', 0)
    for r = 0, pieces - 1 do redis.call('HSET', KEYS[i], 'r' .. r, word()) end
    state, apps, products = 'unknown', {}, n
    for app in string.gmatch(named, '%S+') do
      if #apps > 0 then redis.call('HSET', KEYS[i], 'e' .. (#apps - 1), app) end
      apps[#apps + 1] = app
    end
  else
    at = at + pieces
  end
  book(state, apps, products)
end
local flights = {}
for i = 6 + open, #KEYS do
  local lines, units, account = number(), number(), word()
  local state, apps, products = standing(i)
  book(state, apps, products)
  if lines > 0 and (not state or state == 'drawn' or state == 'sent') then
    local own = {}
    for _, app in ipairs(apps) do own[app] = true end
    flights[#flights + 1] = {claim = KEYS[i], n = pool.count == 'units' and units or lines, account = account, own = own}
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
  local record = {f.n}
  for _, app in ipairs(known) do
    local b = books[app]
    if b.limit and b.state ~= 'removed' and not f.own[app] and (f.account == '' or f.account == b.account) and b.used < b.limit and b.certain + f.n <= b.limit then
      b.held = b.held + f.n
      record[#record + 1] = app
    end
  end
  redis.call('HSET', KEYS[1], 'lost:' .. f.claim, table.concat(record, ' '))
end

local order, listed, size = {}, {}, 0
local function list(app)
  if books[app] and not listed[app] then
    order[#order + 1] = app
    listed[app] = true
  end
end
if ahead then
  for app in string.gmatch(line, '%S+') do list(app) end
end
for i = 3, 4 do
  for _, app in ipairs(redis.call('LRANGE', KEYS[i], 0, -1)) do list(app) end
  redis.call('DEL', KEYS[i])
end
redis.call('DEL', KEYS[2])
for _, app in ipairs(known) do
  list(app)
  if books[app].state ~= 'removed' then
    redis.call('RPUSH', KEYS[2], app)
    size = size + 1
  end
end
pool.born, pool.left, pool.alarm, pool.lost, pool.size = now, 0, 0, #flights, size
redis.call('HSET', KEYS[1], 'born', now, 'server', server, 'count', pool.count, 'width', pool.width, 'low', pool.low,
  'strategy', pool.strategy, 'seq', math.max(seq, last), 'size', size, 'left', 0, 'lost', #flights,
  ` + table + `)
redis.call('HDEL', KEYS[1], 'alarm')
for _, app in ipairs(order) do
  local b = books[app]
  if b.limit then
    local state = resting[b.state] and b.state or 'new'
    redis.call('HSET', KEYS[1], app .. '.used', b.used, app .. '.held', b.held, app .. '.state', state)
    local k, waits = key(app), b.state == 'new' and not b.recorded
    if state == 'new' and not waits or state == 'onboarding' then place(k) end
  end
end
event('rebuilt', nil, {why = size .. ' keys, ' .. #flights .. ' orders under way'})
alarm()
return {'ok', events}
`))
