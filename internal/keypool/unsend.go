package keypool

import (
	"context"

	"autopurchase/worker"
)

// unsendScript takes back the mark of an order that never left.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 owner  2 attempt  3 why, absent or "" to keep the key
//	returns ok | fenced | no_claim | broken <app key>
//
// absent counts how often the order was sent in vain. With another why, the hold is given back and the key benched; the claim
// stays behind without a key, so that it still fences.
var unsendScript = newStep(3, `
local owner, attempt, why = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local c = claim()
if not c then
  lose()
  return fail('no_claim')
end
if (c.s ~= 'sent' and c.s ~= 'drawn') or c.o ~= owner or c.a ~= attempt then return fail('fenced') end
release()
if why == '' or why == 'absent' or c.k == '' then
  if why == 'absent' and c.s == 'sent' then redis.call('HINCRBY', KEYS[6], 'x', 1) end
  redis.call('HSET', KEYS[6], 's', 'drawn')
  alarm()
  return {'ok', events}
end
local k = key(c.k)
if not k then return fail('broken', c.k) end
loosen(c)
redis.call('HSET', KEYS[6], 's', 'drawn')
bench(key(c.k), why)
return {'ok', events}
`)

// Unsend takes back the mark of an order that provably never left; see worker.Ledger. A code whose route is another key benches this
// one, any other keeps the claim on it; worker.CodeAbsent is counted by the claim.
func (p *Pool) Unsend(ctx context.Context, claim worker.Claim, why worker.Code) error {
	if !worker.Dispose(why).Next.Moves() && why != worker.CodeAbsent {
		why = ""
	}
	_, err := p.run(ctx, claim.Pool, unsendScript, namesOf(claim.Pool).keys(claim.Reference), fit(claim.Owner), claim.Attempt, string(why))
	return err
}
