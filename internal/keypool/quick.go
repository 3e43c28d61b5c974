package keypool

// quick makes the steps at the beginning of a batch that are as usual: an order that nothing is known of is drawn from the first
// active key, and a sent one ends placed or refused, while no event is due and nothing was lost. It knows fewer words
// than the steps themselves and leaves to them whatever it does not know, so that most scripts end before the functions of the full
// ones are even made: these cost several times what Redis does. What it makes, the steps would make alike. Numbers are handed on as the
// texts that they came as, where they can be: Redis takes long to write one. It is one function: every other, and every local that it shared
// with it, would be made anew for each script.
//
//	usual  that nothing was lost and the pool was verified where it runs
//	least  and most bound what may be left without a change of the pool's alarm: from least, below most
//	book   an active key's books, false for any other
//	reply  of the step at hand, which is a draw or a settlement with ARGV from a to last; nil, and nothing changed, if it is not as usual
//	done   so many steps are made, and at is the place of the next one's first word
const quick = `
do
  local changed, left = {}, nil
  -- an error is met once more, and told, by the step itself
  pcall(function()
    local KEYS, ARGV, call = KEYS, ARGV, redis.call
    local time = call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local ms = string.format('%.0f', now)
    local p = call('HMGET', KEYS[1], 'server', 'lost', 'born', 'size', 'count', 'left', 'low', 'alarm', 'strategy', 'tenants', 'rules', 'preview')
    local usual = (ARGV[1] == '' or ARGV[1] == p[1]) and (not p[2] or p[2] == '0')
    local units, low, alarm = p[5] == 'units', (p[7] or 100) + 0, p[8] or '0'
    local drawable = usual and p[3] and p[4] and p[4] ~= '0' and (not p[9] or p[9] == 'first')
    local born, unseen, tenants, rules = (p[3] or 0) + 0, not p[12] or p[12] == 'never', p[10] or '', p[11] and p[11] ~= '0'
    local least, most = alarm == '2' and -math.huge or alarm == '1' and 1 or math.max(1, low), math.huge
    if alarm ~= '0' then most = math.max(1, low) end
    local books, first = {}, nil
    left = (p[6] or 0) + 0

    local function book(app)
      local k = books[app]
      if k == nil then
        local v = call('HMGET', KEYS[1], app .. '.limit', app .. '.used', app .. '.held', app .. '.state', app .. '.account', app .. '.alipay')
        k = v[1] and v[2] and v[3] and v[4] == 'active' and
          {app = app, limit = v[1] + 0, used = v[2] + 0, held = v[3] + 0, account = v[5] or '', alipay = v[6] or ''}
        books[app] = k
      end
      return k
    end

    for i = 6, #KEYS do
      local name, kind, a, reply = KEYS[i], ARGV[at + 1], at + 3, nil
      local last = a + ARGV[at + 2] - 1
      if kind == '1' then
        repeat
          if not drawable or last > a + 11 or ARGV[a + 3] + 0 < born then break end
          local account = last > a + 7 and ARGV[a + 8] or ''
          local alipay = last > a + 8 and ARGV[a + 9] or ''
          local preview = last > a + 9 and ARGV[a + 10] or ''
          if preview ~= 'never' and not (preview == '' and unseen) then break end
          if tenants ~= '' and not string.find(' ' .. tenants, ' ' .. ARGV[a + 7] .. '=', 1, true) then break end
          if call('EXISTS', name) == 1 then break end
          if alipay == '' and rules then alipay = call('HGET', KEYS[1], 'seller:' .. ARGV[a + 6]) or '' end
          first = first or call('LINDEX', KEYS[3], 0)
          local k = first and book(first)
          if not k or account ~= '' and k.account ~= account or alipay ~= '' and k.alipay ~= alipay then break end
          local size = units and ARGV[a + 5] or ARGV[a + 4]
          local held, rest = k.held + size, left - size
          if k.used + held > k.limit or rest < least or rest >= most then break end
          call('HSET', name, 's', 'sent', 'k', first, 'n', size, 'f', ARGV[a], 'o', ARGV[a + 1], 'a', ARGV[a + 2], 't', ms)
          if units then call('HSET', name, 'u', 'units') end
          k.held, changed[first], left = held, k, rest
          reply = '0 send ' .. ms .. ' ' .. first .. ' ' .. size .. ' ' .. ARGV[a + 2] .. ' 0'
        until true
      elseif kind == '2' and usual then
        repeat
          local state = ARGV[a + 2]
          if state ~= 'placed' and state ~= 'partial' and state ~= 'refused' then break end
          local c = call('HMGET', name, 's', 'a', 'k', 'n', 'u', 'x', 'e0', 't')
          if c[1] ~= 'sent' or c[7] then break end
          local app, n, k = c[3], c[4] + 0, book(c[3])
          if not k then break end
          local size = state == 'refused' and '0' or c[5] == 'units' and ARGV[a + 4] or ARGV[a + 3]
          local counted = math.max(0, math.min(n, size + 0))
          if counted == n then size = c[4] elseif counted ~= size + 0 then size = counted end
          local used, held = k.used + counted, math.max(0, k.held - n)
          local rest = left + math.max(0, k.limit - used - held) - math.max(0, k.limit - k.used - k.held)
          if used >= k.limit or rest < least or rest >= most then break end
          call('HSET', name, 's', state, 'n', size, 'o', '', 'd', now - (c[8] or 0), 'r0', ARGV[a + 5])
          for i = a + 6, last do call('HSET', name, 'r' .. (i - a - 5), ARGV[i]) end
          call('EXPIRE', name, kept)
          k.used, k.held, changed[app], left = used, held, k, rest
          reply = '0 done ' .. ms .. ' ' .. app .. ' ' .. size .. ' ' .. c[2] .. ' ' .. (c[6] or '0')
        until true
      end
      if not reply then return end
      done, replies[i - 5], at = i - 5, reply, last
    end
  end)
  for app, k in pairs(changed) do redis.call('HSET', KEYS[1], app .. '.used', k.used, app .. '.held', k.held, 'left', left) end
  if done == #KEYS - 5 then return replies end
end
`
