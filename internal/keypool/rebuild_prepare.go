package keypool

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
    local app, e = c[2] or '', 0
    while app do
      local k = key(app)
      if k then move(k, 0, -tonumber(c[3] or '0')) end
      app, e = redis.call('HGET', KEYS[i], 'e' .. e), e + 1
    end
    redis.call('DEL', KEYS[i])
  end
end
return {'ok', events}
`)
