package keypool

// quick makes the steps at the beginning of a batch that are as usual: an order that nothing is known of is drawn from the first
// active key, and a sent one ends placed or refused, while no event is due and nothing was lost. It knows fewer words
// than the steps themselves and leaves to them whatever it does not know, so that most scripts end before the functions of the full
// ones are even made: these cost several times what Redis does. What it makes, the steps would make alike. Numbers are handed on as the
// texts that they came as, where they can be: Redis takes long to write one.
//
//	usual  that nothing was lost and the pool was verified where it runs
//	calm   whether the pool's alarm stays what it is with so much left
//	book   an active key's books, false for any other
//	draw   makes a draw and settle a settlement, with ARGV from a to last; nil, and nothing changed, if it is not as usual
//	done   so many steps are made, and at is the place of the next one's first word
const quick = `
do
  local server, now = ARGV[1], redis.call('TIME')
  now = now[1] * 1000 + math.floor(now[2] / 1000)
  local ms = string.format('%.0f', now)
  local p = redis.call('HMGET', KEYS[1], 'server', 'lost', 'born', 'size', 'count', 'left', 'low', 'alarm', 'strategy', 'tenants', 'rules',
    'preview')
  local usual = (server == '' or server == p[1]) and (p[2] or '0') == '0'
  local born, count, left, low, alarm = p[3] and tonumber(p[3]), p[5] or 'lines', tonumber(p[6] or '0'), tonumber(p[7] or '100'), tonumber(p[8] or '0')
  local drawable = usual and born and (p[4] or '0') ~= '0' and (p[9] or 'first') == 'first'
  local unseen, tenants, rules = (p[12] or 'never') == 'never', p[10] or '', (p[11] or '0') ~= '0'
  local books, changed, first = {}, {}, nil

  local function calm(rest)
    local level = rest <= 0 and 2 or rest < low and 1 or 0
    return level <= alarm and (level > 0 or alarm == 0)
  end

  local function book(app)
    local k = books[app]
    if k == nil then
      local v = redis.call('HMGET', KEYS[1], app .. '.limit', app .. '.used', app .. '.held', app .. '.state', app .. '.account', app .. '.alipay')
      k = v[1] and v[2] and v[3] and v[4] == 'active' and
        {app = app, limit = tonumber(v[1]), used = tonumber(v[2]), held = tonumber(v[3]), account = v[5] or '', alipay = v[6] or ''}
      books[app] = k
    end
    return k
  end

  local function draw(name, a, last)
    if not drawable or last > a + 11 or tonumber(ARGV[a + 3]) < born then return nil end
    local account = last > a + 7 and ARGV[a + 8] or ''
    local alipay = last > a + 8 and ARGV[a + 9] or ''
    local preview = last > a + 9 and ARGV[a + 10] or ''
    if preview ~= 'never' and not (preview == '' and unseen) then return nil end
    if tenants ~= '' and not string.find(' ' .. tenants, ' ' .. ARGV[a + 7] .. '=', 1, true) then return nil end
    if redis.call('EXISTS', name) == 1 then return nil end
    if alipay == '' and rules then alipay = redis.call('HGET', KEYS[1], 'seller:' .. ARGV[a + 6]) or '' end
    first = first or redis.call('LINDEX', KEYS[3], 0)
    local k = first and book(first)
    if not k or account ~= '' and k.account ~= account or alipay ~= '' and k.alipay ~= alipay then return nil end
    local size = count == 'units' and ARGV[a + 5] or ARGV[a + 4]
    local n = tonumber(size)
    if k.used + k.held + n > k.limit or not calm(left - n) then return nil end
    redis.call('HSET', name, 's', 'sent', 'k', first, 'n', size, 'f', ARGV[a], 'o', ARGV[a + 1], 'a', ARGV[a + 2], 't', ms)
    if count == 'units' then redis.call('HSET', name, 'u', count) end
    k.held, changed[first] = k.held + n, k
    left = left - n
    return '0 send ' .. ms .. ' ' .. first .. ' ' .. size .. ' ' .. ARGV[a + 2] .. ' 0'
  end

  local function settle(name, a, last)
    local state = ARGV[a + 2]
    if not usual or state ~= 'placed' and state ~= 'partial' and state ~= 'refused' then return nil end
    local c = redis.call('HMGET', name, 's', 'a', 'k', 'n', 'u', 'x', 'e0', 't')
    if c[1] ~= 'sent' or c[7] then return nil end
    local app, n, k = c[3], tonumber(c[4]), book(c[3])
    if not k then return nil end
    local counted = 0
    if state ~= 'refused' then counted = math.max(0, math.min(n, tonumber(c[5] == 'units' and ARGV[a + 4] or ARGV[a + 3]))) end
    local used, held = k.used + counted, math.max(0, k.held - n)
    local rest = left + math.max(0, k.limit - used - held) - math.max(0, k.limit - k.used - k.held)
    if used >= k.limit or not calm(rest) then return nil end
    redis.call('HSET', name, 's', state, 'n', counted == n and c[4] or counted, 'o', '', 'd', now - tonumber(c[8] or '0'), 'r0', ARGV[a + 5])
    for i = a + 6, last do redis.call('HSET', name, 'r' .. (i - a - 5), ARGV[i]) end
    redis.call('EXPIRE', name, kept)
    k.used, k.held, changed[app] = used, held, k
    left = rest
    return '0 done ' .. ms .. ' ' .. app .. ' ' .. counted .. ' ' .. c[2] .. ' ' .. (c[6] or '0')
  end

  local makes = {['1'] = draw, ['2'] = settle}
  -- an error is met once more, and told, by the step itself
  pcall(function()
    for i = 6, #KEYS do
      local make, a = makes[ARGV[at + 1]], at + 3
      local last = a + tonumber(ARGV[at + 2]) - 1
      local reply = make and make(KEYS[i], a, last)
      if not reply then return end
      done, replies[i - 5], at = i - 5, reply, last
    end
  end)
  for app, k in pairs(changed) do redis.call('HSET', KEYS[1], app .. '.used', k.used, app .. '.held', k.held, 'left', left) end
  if done == #KEYS - 5 then return replies end
end
`
