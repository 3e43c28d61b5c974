package keypool

import (
	"context"

	"autopurchase/worker"
)

// refuseScript ends an order for which nothing was drawn: a claim without a key stays behind, which says so to whoever comes later.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 fingerprint  2 owner  3 attempt  4 state  5… the outcome's pieces
//	returns ok and the claim, with turn done | conflict | fenced
//
// A claim that holds no key's products was never sent and gives way. The first outcome stands and is returned.
var refuseScript = newScript(`
local print, owner, attempt, state = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local c = claim()
if c and c.f ~= '' and c.f ~= print then return fail('conflict') end
if c and c.s ~= 'drawn' and c.s ~= 'sent' then return answer(c, 'done') end
if c and (c.s == 'sent' or c.k ~= '' or c.o ~= owner and attempt <= c.a) then return fail('fenced') end
release()
alarm()
redis.call('HSET', KEYS[6], 'k', '', 'u', pool.count, 'f', print, 'a', attempt, 't', 0)
finish(state, 0, 5)
return answer(claim(), 'done')
`)

// Refuse ends an order for which nothing was drawn; see worker.Undrawn.
func (p *Pool) Refuse(ctx context.Context, draw worker.Draw, part worker.Part) (worker.Claim, error) {
	if err := check(&draw); err != nil {
		return worker.Claim{}, err
	}
	args := []any{fit(draw.Fingerprint), fit(draw.Owner), draw.Attempt, string(part.State)}
	for _, piece := range pack(abridge(part)) {
		args = append(args, piece)
	}
	r, err := p.run(ctx, draw.Pool, refuseScript, namesOf(draw.Pool).keys(draw.Reference), args...)
	if err != nil {
		return worker.Claim{}, err
	}
	return claimOf(draw.Pool, draw.Reference, r)
}

// leaveScript has an order leave a key that turned it down before anything was drawn.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 app key  2 why  3 which route comes next  4 fingerprint  5 owner  6 attempt
//	returns ok
//
// A claim without a key stays behind, which knows where not to go; one that somebody else has by now is left alone.
var leaveScript = newScript(`
local app, why, next, print, owner, attempt = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local c = claim()
if not key(app) then return {'ok', events} end
if not c or c.s == 'drawn' and c.k == '' and c.f == print and (attempt > c.a or c.o == owner) then
  redis.call('HSET', KEYS[6], 's', 'drawn', 'k', '', 'n', 0, 'u', pool.count, 'f', print, 'o', owner, 'a', attempt, 't', 0)
  depart(c, app, why, next)
end
punish(key(app), why, next)
return {'ok', events}
`)

// Leave has an order that nothing was drawn for leave a key that turned it down; see worker.Undrawn. A key that is out of use or
// spent stays as it is, and so does one that the pool does not know.
func (p *Pool) Leave(ctx context.Context, draw worker.Draw, appKey string, why worker.Code) error {
	_, err := p.run(ctx, draw.Pool, leaveScript, namesOf(draw.Pool).keys(draw.Reference), appKey, string(why),
		routes[worker.Dispose(why).Next], fit(draw.Fingerprint), fit(draw.Owner), draw.Attempt)
	return err
}
