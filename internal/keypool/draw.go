package keypool

import (
	"context"
	"math"

	"autopurchase/worker"
)

// drawScript draws a claim and marks it sent, in one step.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 fingerprint  2 owner  3 attempt  4 published, ms  5 lines  6 units  7 account or ""  8 on this key or ""
//	returns ok and the claim with turn send, look_up or done, in brief if it was made or moved
//	        conflict | fenced | no_pool | lost | too_large <limit> | no_key <n> | broken <app key> | unknown_key <app key>
//
// A claim that was sent is given back to the same owner in the same attempt as to be sent: its reply was lost, and an owner
// draws again only before sending. Whoever overtakes must look it up, also if its reply was lost. A drawn claim goes on with
// its key, unless that was benched meanwhile: then it moves.
//
// A reference with a lost record is looked up on every key before anything is sent, but for its first delivery: who handles
// that one knows that it has not sent it, since it only draws before sending. If there is no key for it then, a claim without
// one stays behind, or its next delivery would be taken for lost: it is older than the pool.
var drawScript = newStep(1, `
local print, owner, attempt, published = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local account, on = ARGV[7], ARGV[8]
if not pool.born or pool.size == 0 then return fail('no_pool') end
local n = tonumber(pool.count == 'units' and ARGV[6] or ARGV[5])
local c = claim()

local function put(k, turn)
  move(k, 0, n)
  redis.call('HSET', KEYS[6], 's', 'sent', 'k', k.app, 'n', n, 'u', pool.count, 'f', print, 'o', owner, 'a', attempt, 't', now)
  if c or turn == 'look_up' then redis.call('HSET', KEYS[6], 'l', turn == 'look_up' and 1 or 0) end
  alarm()
  return brief(turn, k.app, n, attempt, c and tonumber(c.x))
end

local function fits(k) return (account == '' or k.account == account) and k.used + k.held + n <= k.limit end

local function choose()
  for list = 3, 4 do
    for i = 0, pool.size do
      local app = redis.call('LINDEX', KEYS[list], i)
      if not app then break end
      local k = key(app)
      if not k then return nil, fail('broken', app) end
      if fits(k) then return k end
    end
  end
  local largest = -1
  for _, app in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local k = key(app)
    if not k then return nil, fail('broken', app) end
    if account == '' or k.account == account then largest = math.max(largest, k.limit) end
  end
  if largest >= 0 and n > largest then return nil, fail('too_large', n .. ' of ' .. largest) end
  return nil, fail('no_key', tostring(n))
end

if c then
  if c.f ~= '' and c.f ~= print then return fail('conflict') end
  if c.s ~= 'drawn' and c.s ~= 'sent' then return answer(c, 'done') end
  local mine = c.o == owner and c.a == attempt
  if not mine and attempt <= c.a then return fail('fenced') end
  if on ~= '' and not key(on) then return fail('unknown_key', on) end
  if attempt > 1 and on == '' and lost() then
    redis.call('HSET', KEYS[6], 'o', owner, 'a', attempt)
    return fail('lost')
  end
  release()
  if c.s == 'sent' and (on == '' or on == c.k) then
    -- who took the claim over to look it up repeats that; only who marked it sent may be told again to send
    if mine then return answer(c, on == '' and redis.call('HGET', KEYS[6], 'l') ~= '1' and 'send' or 'look_up') end
    redis.call('HSET', KEYS[6], 'o', owner, 'a', attempt, 'l', 1)
    c.o, c.a = owner, attempt
    return answer(c, 'look_up')
  end
  local k = c.k ~= '' and key(c.k)
  if c.k ~= '' and not k then return fail('broken', c.k) end
  if k and on == '' and k.state ~= 'benched' then
    redis.call('HSET', KEYS[6], 's', 'sent', 'o', owner, 'a', attempt, 't', now, 'l', 0)
    c.s, c.o, c.a, c.t = 'sent', owner, attempt, now
    return answer(c, 'send')
  end
  if k then
    move(k, 0, -c.n)
    redis.call('HSET', KEYS[6], 'k', '', 'n', 0)
  end
elseif attempt > 1 and on == '' and (lost() or published < pool.born) then
  return fail('lost')
end

if on ~= '' then
  if not key(on) then return fail('unknown_key', on) end
  release()
  return put(key(on), 'look_up')
end
release()
local k, failure = choose()
if not k then
  if not c and published < pool.born and failure[1] == 'no_key' then
    redis.call('HSET', KEYS[6], 's', 'drawn', 'k', '', 'n', 0, 'u', pool.count, 'f', print, 'o', owner, 'a', attempt, 't', 0)
  end
  return failure
end
return put(k, 'send')
`)

// Draw finds room for an order on one key, marks the claim sent and returns it, or returns the claim as an earlier delivery
// left it. See worker.Ledger for the troubles; an order for a key the pool does not know is worker.CodeInternal.
func (p *Pool) Draw(ctx context.Context, draw worker.Draw) (worker.Claim, error) {
	if err := check(draw); err != nil {
		return worker.Claim{}, err
	}
	r, err := p.run(ctx, draw.Pool, drawScript, namesOf(draw.Pool).keys(draw.Reference),
		fit(draw.Fingerprint), fit(draw.Owner), draw.Attempt, draw.Published.UnixMilli(),
		draw.Size.Lines, draw.Size.Units, draw.Account, draw.OnKey)
	if err != nil {
		return worker.Claim{}, err
	}
	if !r.isBrief() {
		return claimOf(draw.Pool, draw.Reference, r)
	}
	claim := r.brief(worker.Claim{Pool: draw.Pool, Reference: draw.Reference, State: worker.ClaimSent, Owner: fit(draw.Owner)})
	claim.SentAt = claim.Now
	return claim, nil
}

// maxCount is the largest number of products of an order: above it Lua's numbers are no longer exact when two are added.
const maxCount = math.MaxInt32

// check refuses what no script should see. A caller that decodes strictly never meets it.
func check(draw worker.Draw) error {
	wrong := func(reason string) error {
		return &worker.Trouble{Code: worker.CodeInternal, Reason: "draw: " + reason}
	}
	switch {
	case worker.CheckName(draw.Pool) != nil:
		return wrong("pool " + worker.CheckName(draw.Pool).Error())
	case draw.Reference == "" || draw.Owner == "" || draw.Attempt < 1:
		return wrong("reference, owner and attempt are required")
	case draw.Size.Lines < 1 || draw.Size.Units < 1:
		return wrong("size must be above 0")
	case draw.Size.Lines > maxCount || draw.Size.Units > maxCount:
		return &worker.Trouble{Code: worker.CodeTooLarge, Reason: "the order has more products than any key may take"}
	}
	return nil
}
