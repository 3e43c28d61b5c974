package keypool

// guard is about a Redis that may have forgotten something.
//
// A pool carries the identity of the Redis on which it was verified: compared with what the broker has on record. Data that
// came to another server, by a restart, a fail-over or a copy, still carries the old one. Every step names the identity of
// the server at the other end of its connection, and fence turns it down where the two differ.
//
// A lost record stands for an order that may have been sent although nothing is known of its claim, or not the last of it.
// It holds the order's products on every key that could have taken it, until the look-up has told. It is a field of the pool's
// hash: "lost:" and the claim's name → the products, then the app keys that they are held on. What is released is what the
// record says, and it goes with the record, so each hold is given back once.
//
//	lost     the record of the claim, if there is one
//	release  gives back what the record holds and removes it
//	take     takes events out of the outbox that the journal has, by their sequence, and puts the keys into use that waited for
//	         it; says whether there were any
//	lose     marks a claim as lost of which its owner knows and the ledger does not; it holds nothing
const guard = `
local function lost() return pool.lost > 0 and redis.call('HGET', KEYS[1], 'lost:' .. KEYS[6]) end

local function release()
  local record = lost()
  if not record then return end
  redis.call('HDEL', KEYS[1], 'lost:' .. KEYS[6])
  pool.lost = redis.call('HINCRBY', KEYS[1], 'lost', -1)
  local n
  for word in string.gmatch(record, '%S+') do
    local k = n and key(word)
    if k then move(k, 0, -n) end
    n = n or tonumber(word)
  end
end

local function take(last, most)
  local joined = false
  for _ = 1, most do
    local head = redis.call('LINDEX', KEYS[5], 0)
    local told = head and cjson.decode(head)
    if not told or told.sequence > last then break end
    redis.call('LPOP', KEYS[5])
    local k = told.app_key and key(told.app_key)
    if k and k.state == 'new' then
      place(k)
      event('joined', k)
      joined = true
    end
  end
  return joined
end

local function lose()
  if server ~= '' and pool.born and redis.call('HSETNX', KEYS[1], 'lost:' .. KEYS[6], '0') == 1 then
    pool.lost = redis.call('HINCRBY', KEYS[1], 'lost', 1)
  end
end
`

// fence turns a step down unless the pool was verified on the server that runs it.
const fence = `
if server ~= '' and server ~= pool.server then return fail('unverified') end
`

// lostPrefix is what the field of a lost record begins with.
const lostPrefix = "lost:"
