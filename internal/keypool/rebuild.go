package keypool

import (
	"context"

	"autopurchase/worker"
)

// rebuildScript makes a missing pool again, in one step; a pool that is there is left alone.
//
//	KEYS    the pool's, then the claims of open orders
//	ARGV    1 count  2 width  3 low  4 last sequence  5 number of keys
//	        for each key    app key, limit, used, held, benched or new, account, alipay, version
//	        for each claim  app key, products, decided at ms, number of pieces, pieces…
//	returns ok
var rebuildScript = newScript(`
if pool.born then return {'ok', events} end
local at = 0
local function word() at = at + 1; return ARGV[at] end
for i = 1, 5 do redis.call('DEL', KEYS[i]) end
pool.count, pool.width, pool.low = word(), tonumber(word()), tonumber(word())
redis.call('HSET', KEYS[1], 'born', int(now), 'count', pool.count, 'width', int(pool.width), 'low', int(pool.low),
  'seq', word(), 'left', 0, 'alarm', 0)
pool.left, pool.alarm = 0, 0
local size = tonumber(word())
redis.call('HSET', KEYS[1], 'size', int(size))
for _ = 1, size do
  local app, fields = word(), {'limit', 'used', 'held', 'state', 'account', 'alipay', 'version'}
  for _, name in ipairs(fields) do redis.call('HSET', KEYS[1], app .. '.' .. name, word()) end
  redis.call('RPUSH', KEYS[2], app)
  local k = key(app)
  if k.state == 'benched' then
    become(k, 'benched')
  elseif k.used >= k.limit then
    become(k, 'spent')
  else
    join(k)
  end
end
for i = 6, #KEYS do
  local app, n, decided, pieces = word(), word(), word(), tonumber(word())
  redis.call('HSET', KEYS[i], 's', 'unknown', 'k', app, 'n', n, 'u', pool.count, 'f', '', 'o', '', 'a', 0, 't', decided, 'd', decided)
  for r = 0, pieces - 1 do redis.call('HSET', KEYS[i], 'r' .. r, word()) end
end
event('rebuilt', nil, '', int(size) .. ' keys')
alarm()
return {'ok', events}
`)

// newPoolScript marks a missing pool as one that never was.
//
//	KEYS    the pool's
//	returns ok
var newPoolScript = newScript(`
if not pool.born then redis.call('HSET', KEYS[1], 'new', 1) end
return {'ok', events}
`)

// Rebuild makes a pool again that Redis has lost, from what the broker has on record: keys and settings from the journal,
// what was ordered from the results, and claims for the orders of which it is not known whether they exist. A key is never
// counted below what the journal said about it. A pool that Redis still has is left alone, so that any number of processes may
// rebuild at once and one of them does. A pool without a journal never was, and stays missing; orders that are waiting for its
// first key need not fear for their claims then, which they would if Add came without this proof. So whoever adds keys
// rebuilds first, or what a lost pool had counted would be forgotten.
//
// What was drawn and has no result yet is not in the history: such an order is delivered again and is worker.CodeLost.
//
// Errors: the history's own, or a *worker.Trouble.
func (p *Pool) Rebuild(ctx context.Context, pool string, history History) error {
	if err := nameError(pool); err != nil {
		return err
	}
	var there bool
	err := p.patiently(ctx, func(ctx context.Context) (err error) {
		there, err = p.client.HExists(ctx, namesOf(pool).pool, "born").Result()
		return err
	})
	if err != nil || there {
		return err
	}
	past, err := recall(ctx, pool, history)
	if err != nil {
		return err
	}
	if past.last == 0 {
		_, err = p.run(ctx, pool, newPoolScript, namesOf(pool).keys())
		return err
	}
	if err := p.name(ctx, pool); err != nil {
		return err
	}
	references, args := past.script()
	_, err = p.run(ctx, pool, rebuildScript, namesOf(pool).keys(references...), args...)
	return err
}

// script writes the past as the arguments of rebuildScript.
func (p *past) script() (references []string, args []any) {
	args = append(args, p.settings.Count, p.settings.Width, p.settings.Low, p.last, len(p.keys))
	for _, k := range p.keys {
		state := "new"
		if k.benched {
			state = "benched"
		}
		args = append(args, k.appKey, k.limit, max(k.used, k.floor), k.held, state, k.account, k.alipay, k.versions)
	}
	for _, open := range p.open {
		references = append(references, open.OutOrderID)
		pieces := pack(worker.Part{Code: open.part.Code, Reason: open.part.Reason})
		args = append(args, open.AppKey, open.Products, open.part.At.UnixMilli(), len(pieces))
		for _, piece := range pieces {
			args = append(args, piece)
		}
	}
	return references, args
}
