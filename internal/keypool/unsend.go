package keypool

import (
	"context"

	"autopurchase/worker"
)

// unsendScript takes back the mark of an order that never left.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 owner  2 attempt  3 why  4 which route comes next: key, account, business, or "" to keep the key
//	returns ok | fenced | no_claim | broken <app key>
//
// absent counts how often the order was sent in vain. With a route, the hold is given back and the key benched, or its account
// stopped; the claim stays behind without a key, so that it still fences and knows where not to go.
var unsendScript = newStep(3, `
local owner, attempt, why, next = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local c = claim()
if not c then
  lose()
  return fail('no_claim')
end
if (c.s ~= 'sent' and c.s ~= 'drawn') or c.o ~= owner or c.a ~= attempt then return fail('fenced') end
release()
if next == '' or c.k == '' then
  if why == 'absent' and c.s == 'sent' then redis.call('HINCRBY', KEYS[6], 'x', 1) end
  redis.call('HSET', KEYS[6], 's', 'drawn')
  alarm()
  return {'ok', events}
end
if not key(c.k) then return fail('broken', c.k) end
loosen(c)
depart(c, c.k, why, next)
punish(key(c.k), why, next)
return {'ok', events}
`)

// routes are the words of the scripts for where an order goes that leaves its key.
var routes = map[worker.Route]string{
	worker.RouteOtherKey: "key", worker.RouteOtherAccount: "account", worker.RouteBusiness: "business",
}

// Unsend takes back the mark of an order that provably was not made; see worker.Ledger. A code whose route leads to another key
// benches this one or stops its account, any other keeps the claim on it; worker.CodeAbsent is counted by the claim.
func (p *Pool) Unsend(ctx context.Context, claim *worker.Claim, why worker.Code) error {
	_, err := p.run(ctx, claim.Pool, unsendScript, p.names(claim.Pool).keys(claim.Reference), fit(claim.Owner), claim.Attempt, string(why),
		routes[worker.Dispose(why).Next])
	return err
}
