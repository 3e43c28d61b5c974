package keypool

import (
	"context"

	"autopurchase/worker"
)

// withdrawScript ends a claim as cancelled unless its order may have been sent, in one step.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 fingerprint  2 published, ms  3 birth of the pool before which nobody can have sent it, or ""  4… the outcome's pieces
//	returns ok and the claim, with turn done if it has ended, now or before, and look_up if it was sent
//	        conflict | no_pool | lost | doubtful <birth> | broken <app key>
//
// A drawn claim gives back what it holds. Where there is none one is made, so that the delivery that comes later finds its order
// ended, also in a pool that nobody has added a key to yet. An order of which the pool may have forgotten that it was sent is not
// cancelled: one with a lost record; and one that is older than the pool, until its caller knows that it had not ended before;
// see clear.
var withdrawScript = newScript(`
local print, published, cleared = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local c = claim()
if c then
  if c.f ~= '' and c.f ~= print then return fail('conflict') end
  if c.s == 'sent' then return answer(c, 'look_up') end
  if c.s ~= 'drawn' then return answer(c, 'done') end
end
if lost() then return fail('lost') end
if not c and not pool.born and server == '' then return fail('no_pool') end
if not c and pool.born and published < pool.born and cleared ~= tostring(pool.born) then
  if server == '' then return fail('lost') end
  return fail('doubtful', tostring(pool.born))
end
for _, app in ipairs(c and on(c) or {}) do
  if not key(app) then return fail('broken', app) end
end
if c then
  loosen(c)
  alarm()
else
  redis.call('HSET', KEYS[6], 'k', '', 'n', 0, 'u', pool.count, 'f', print, 'o', '', 'a', 1, 't', 0)
end
finish('cancelled', 0, 4)
return answer(claim(), 'done')
`)

// Withdraw cancels an order unless it may have been sent; see worker.Withdrawals.
func (p *Pool) Withdraw(ctx context.Context, w worker.Withdrawal) (worker.Claim, error) {
	if worker.CheckName(w.Pool) != nil || w.Reference == "" {
		return worker.Claim{}, &worker.Trouble{Code: worker.CodeInternal, Reason: "withdraw: pool and reference are required"}
	}
	r, err := p.withdrawn(ctx, w, "")
	for range maxDoubts {
		if r.text(0) != statusDoubtful {
			break
		}
		if err = p.unended(ctx, w.Pool, w.Reference); err != nil {
			return worker.Claim{}, err
		}
		r, err = p.withdrawn(ctx, w, r.text(2))
	}
	if err != nil {
		return worker.Claim{}, err
	}
	return claimOf(w.Pool, w.Reference, r)
}

func (p *Pool) withdrawn(ctx context.Context, w worker.Withdrawal, cleared string) (reply, error) {
	pieces := pack(abridge(worker.Part{State: worker.ClaimCancelled, Code: worker.CodeCancelled, Reason: w.Reason}))
	args := make([]any, 0, 3+len(pieces))
	args = append(args, fit(w.Fingerprint), w.Published.UnixMilli(), cleared)
	for _, piece := range pieces {
		args = append(args, piece)
	}
	return p.run(ctx, w.Pool, withdrawScript, namesOf(w.Pool).keys(w.Reference), args...)
}

// stayScript makes the claims of cancelled orders anew where they are missing: whoever is handed their request must find them
// ended. It does nothing once the pool is verified.
//
//	KEYS    the pool's, then the claims
//	ARGV    1 server as it was seen, then for each claim    decided at ms, number of pieces, pieces…
//	returns ok
var stayScript = newOpenScript(`
if pool.server ~= ARGV[1] then return {'ok', events} end
local at = 1
local function word() at = at + 1; return ARGV[at] end
for i = 6, #KEYS do
  local decided, pieces = word(), tonumber(word())
  local there = redis.call('EXISTS', KEYS[i]) == 1
  if not there then
    redis.call('HSET', KEYS[i], 's', 'cancelled', 'k', '', 'n', 0, 'u', pool.count, 'f', '', 'o', '', 'a', 1, 't', 0, 'd', decided)
    redis.call('EXPIRE', KEYS[i], kept)
  end
  for r = 0, pieces - 1 do
    local piece = word()
    if not there then redis.call('HSET', KEYS[i], 'r' .. r, piece) end
  end
end
return {'ok', events}
`)

// stay keeps cancelled what the results say was, of requests that will be delivered again, or for the first time.
func (p *Pool) stay(ctx context.Context, pool, server string, past *past) error {
	for _, f := range past.flights {
		if f.cancelled == nil {
			continue
		}
		args := []any{server}
		var references []string
		for _, o := range f.orders {
			references = append(references, o.reference)
			args = appendPieces(append(args, f.cancelled.At.UnixMilli()), *f.cancelled)
		}
		if _, err := p.run(ctx, pool, stayScript, namesOf(pool).keys(references...), args...); err != nil {
			return err
		}
	}
	return nil
}
