package keypool

import (
	"cmp"
	"context"
	"slices"

	"autopurchase/worker"
)

// bindScript ends an order that was never sent, or that ended without an order at 1688, with one that was made elsewhere, in one step.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 fingerprint  2 published, ms  3 birth of the pool before which nobody can have sent it, or ""  4 state as it was seen or ""
//	        5 1 if the request's result is on record  6 app key  7 lines  8 units  9 state  10… the outcome's pieces
//	returns ok and the claim, with turn done if it has ended, now or before, and look_up if it was sent
//	        conflict | fenced | no_pool | lost | doubtful <birth> | broken <app key> | unknown_key <app key>
//
// A drawn claim gives back what it holds. What was ordered counts on the key whatever its room: it is a fact. Of a decided request
// the pool may have forgotten the claim; any other one that it may have forgotten is looked up first, as in withdrawScript.
var bindScript = newScript(`
local print, published, cleared, seen, app = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[6]
local c = claim()
if c and c.f ~= '' and c.f ~= print then return fail('conflict') end
if c and c.s == 'sent' then return answer(c, 'look_up') end
if c and c.s ~= 'drawn' and c.s ~= 'refused' and c.s ~= 'cancelled' then return answer(c, 'done') end
if (c and c.s or '') ~= seen then return fail('fenced') end
if lost() then return fail('lost') end
if not c and not pool.born and server == '' then return fail('no_pool') end
if not c and ARGV[5] ~= '1' and pool.born and published < pool.born and cleared ~= tostring(pool.born) then
  if server == '' then return fail('lost') end
  return fail('doubtful', tostring(pool.born))
end
for _, held in ipairs(c and on(c) or {}) do
  if not key(held) then return fail('broken', held) end
end
if not key(app) then return fail('unknown_key', app) end

if c and c.s == 'drawn' then loosen(c) end
for i = 0, 511 do
  if redis.call('HDEL', KEYS[6], 'r' .. i) == 0 then break end
end
local n = tonumber(pool.count == 'units' and ARGV[8] or ARGV[7])
local k = key(app)
move(k, n, 0)
tire(k)
alarm()
redis.call('HSET', KEYS[6], 'k', app, 'u', pool.count, 'f', print, 'a', math.max(c and c.a or 1, 1), 't', c and c.t or 0)
finish(ARGV[9], n, 10)
return answer(claim(), 'done')
`)

// Bind ends an order with one that was made elsewhere; see worker.Bindings.
func (p *Pool) Bind(ctx context.Context, b worker.Bonding) (worker.Claim, error) {
	if worker.CheckName(b.Pool) != nil || b.Reference == "" || b.AppKey == "" || b.Size.Lines > maxCount || b.Size.Units > maxCount {
		return worker.Claim{}, &worker.Trouble{Code: worker.CodeInternal, Reason: "bind: pool, reference, app key and size are required"}
	}
	r, err := p.bound(ctx, b, "")
	for range maxDoubts {
		if r.text(0) != statusDoubtful {
			break
		}
		if err = p.unended(ctx, b.Pool, b.Reference); err != nil {
			return worker.Claim{}, err
		}
		r, err = p.bound(ctx, b, r.text(2))
	}
	if err != nil {
		return worker.Claim{}, err
	}
	return claimOf(b.Pool, b.Reference, r)
}

func (p *Pool) bound(ctx context.Context, b worker.Bonding, cleared string) (reply, error) {
	decided := 0
	if b.Decided {
		decided = 1
	}
	args := []any{fit(b.Fingerprint), b.Published.UnixMilli(), cleared, string(b.Seen), decided, b.AppKey, b.Size.Lines, b.Size.Units, string(b.Part.State)}
	for _, piece := range pack(abridge(b.Part)) {
		args = append(args, piece)
	}
	return p.run(ctx, b.Pool, bindScript, namesOf(b.Pool).keys(b.Reference), args...)
}

// unbindScript leaves it open again what became of an order.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 when the claim ended, ms, as it was seen  2… the outcome's pieces
//	returns ok and the claim, with turn done | fenced | no_claim
//
// What was counted stays counted, and the claim holds nothing: when it is settled again, that counts nothing more.
var unbindScript = newScript(`
local c = claim()
if not c then return fail('no_claim') end
if c.s == 'unknown' then return answer(c, 'done') end
if c.s ~= 'placed' and c.s ~= 'partial' or ended(c) ~= tonumber(ARGV[1]) then return fail('fenced') end
for i = 0, 511 do
  if redis.call('HDEL', KEYS[6], 'r' .. i) == 0 then break end
end
finish('unknown', 0, 2)
return answer(claim(), 'done')
`)

// Unbind leaves it open again what became of an order; see worker.Bindings. A claim that is not there is worker.CodeLost.
func (p *Pool) Unbind(ctx context.Context, seen worker.Claim, part worker.Part) (worker.Claim, error) {
	args := []any{seen.Part.At.UnixMilli()}
	for _, piece := range pack(abridge(part)) {
		args = append(args, piece)
	}
	r, err := p.run(ctx, seen.Pool, unbindScript, namesOf(seen.Pool).keys(seen.Reference), args...)
	if err != nil {
		return seen, err
	}
	return claimOf(seen.Pool, seen.Reference, r)
}

// Holders lists the keys of a pool, those with the most room first; see worker.Holders.
func (p *Pool) Holders(ctx context.Context, pool string) ([]worker.Holder, error) {
	infos, err := p.Keys(ctx, pool)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(infos, func(a, b Info) int { return cmp.Compare(b.Left, a.Left) })
	holders := make([]worker.Holder, 0, len(infos))
	for _, info := range infos {
		holders = append(holders, worker.Holder{AppKey: info.AppKey, Account: info.Account})
	}
	return holders, nil
}
