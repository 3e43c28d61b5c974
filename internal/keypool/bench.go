package keypool

import "context"

// benchScript takes a key out of use; a key that is benched or spent already stays as it is.
//
//	KEYS    the pool's
//	ARGV    1 app key  2 by  3 why
//	returns ok and the key | unknown_key <app key>
var benchScript = newScript(`
local k = key(ARGV[1])
if not k then return fail('unknown_key', ARGV[1]) end
bench(k, ARGV[2], ARGV[3])
return info(k)
`)

// restoreScript puts a benched key back into use, active if there is a place, else ready; any other key stays as it is.
//
//	KEYS    the pool's
//	ARGV    1 app key  2 by
//	returns ok and the key | unknown_key <app key>
var restoreScript = newScript(`
local k = key(ARGV[1])
if not k then return fail('unknown_key', ARGV[1]) end
if k.state == 'benched' then
  if k.used < k.limit then join(k) else become(k, 'spent') end
  event('restored', k, ARGV[2])
  alarm()
end
return info(k)
`)

// Bench takes a key out of use: it is drawn no more once Bench has returned. Orders under way on it end as they end. A key
// that the pool does not know is worker.CodeInternal.
func (p *Pool) Bench(ctx context.Context, pool, appKey, by, why string) (Info, error) {
	return infoOf(pool)(p.run(ctx, pool, benchScript, namesOf(pool).keys(), appKey, valid(by), valid(why)))
}

// Restore puts a benched key back into use. A key in any other state stays as it is. A key that the pool does not know is
// worker.CodeInternal.
func (p *Pool) Restore(ctx context.Context, pool, appKey, by string) (Info, error) {
	return infoOf(pool)(p.run(ctx, pool, restoreScript, namesOf(pool).keys(), appKey, valid(by)))
}
