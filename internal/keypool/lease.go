package keypool

import (
	"context"
	"time"
)

// leaseScript gives a relay the turn to change a key's tokens, unless another one has it. The end of a turn is in the value, by
// Redis's clock: an in-process Redis lets nothing expire.
//
//	KEYS    the pool's, then what is sealed
//	ARGV    1 app key  2 holder  3 for so many ms
//	returns ok, 1 if it is the holder's turn, and source, secret and tokens as they are now | no_such_key
var leaseScript = newScript(`
local app, holder, field = ARGV[1], ARGV[2], ARGV[1] .. '.lease'
if not key(app) then return fail('no_such_key', app) end
local other, ends = string.match(redis.call('HGET', KEYS[6], field) or '', '^(%S+) (%d+)$')
local mine = not other or other == holder or tonumber(ends) <= now
if mine then redis.call('HSET', KEYS[6], field, holder .. ' ' .. string.format('%.0f', now + tonumber(ARGV[3]))) end
local v = redis.call('HMGET', KEYS[6], app .. '.secret', app .. '.tokens')
return {'ok', events, mine and 1 or 0, redis.call('HGET', KEYS[1], app .. '.source') or 'own', v[1] or '', v[2] or ''}
`)

// releaseScript ends a turn.
//
//	KEYS    the pool's, then what is sealed
//	ARGV    1 app key  2 holder
//	returns ok
var releaseScript = newScript(`
local field = ARGV[1] .. '.lease'
if string.match(redis.call('HGET', KEYS[6], field) or '', '^%S+') == ARGV[2] then redis.call('HDEL', KEYS[6], field) end
return {'ok', events}
`)

// Lease asks for the turn to change a key's tokens, which a holder, a word without blanks, has alone until it is released or for at
// most so long. What is kept of the key comes back in any case. Asking again for a turn that the holder has lengthens it. Errors:
// *worker.Denied, or a *worker.Trouble.
func (p *Pool) Lease(ctx context.Context, pool, appKey, holder string, longest time.Duration) (now Kept, mine bool, err error) {
	n := namesOf(pool)
	r, err := p.run(ctx, pool, leaseScript, append(n.keys(), n.sealed), appKey, holder, longest.Milliseconds())
	if err != nil {
		return Kept{}, false, err
	}
	now = Kept{Pool: pool, AppKey: appKey, Source: r.text(3), Secret: readSealed(r.text(4)), Tokens: readSealed(r.text(5))}
	return now, r.number(2) == 1, nil
}

// Release ends a holder's turn; one that another holder has is left alone. Errors are *worker.Trouble.
func (p *Pool) Release(ctx context.Context, pool, appKey, holder string) error {
	n := namesOf(pool)
	_, err := p.run(ctx, pool, releaseScript, append(n.keys(), n.sealed), appKey, holder)
	return err
}

// endingScript tells once that a key's authorization ends soon.
//
//	KEYS    the pool's, then what is sealed
//	ARGV    1 app key  2 end  3 why
//	returns ok | no_such_key
var endingScript = newScript(`
local k, told = key(ARGV[1]), ARGV[2] .. ' ' .. ARGV[3]
if not k then return fail('no_such_key', ARGV[1]) end
if redis.call('HGET', KEYS[6], k.app .. '.told') ~= told then
  redis.call('HSET', KEYS[6], k.app .. '.told', told)
  event('ending', k, {ends_ms = tonumber(ARGV[2]), why = ARGV[3]})
end
return {'ok', events}
`)

// Ending puts into the journal that a key's authorization ends then, once for each end and why, however many relays tell so. Errors:
// *worker.Denied, or a *worker.Trouble.
func (p *Pool) Ending(ctx context.Context, pool, appKey string, ends time.Time, why string) error {
	n := namesOf(pool)
	_, err := p.run(ctx, pool, endingScript, append(n.keys(), n.sealed), appKey, ends.UnixMilli(), valid(why))
	return err
}
