package keypool

import (
	"context"
	"strings"

	"autopurchase/worker"
)

// rules is about sellers that do not sell to every account. It is a field of the pool's hash: "seller:" and the seller → the kind
// of Alipay that a key must have.
//
//	restrict remembers it, or forgets it if that is ""
const rules = `
local function restrict(seller, alipay)
  local field = 'seller:' .. seller
  local before = redis.call('HGET', KEYS[1], field) or ''
  if before == alipay then return false end
  if alipay == '' then redis.call('HDEL', KEYS[1], field) else redis.call('HSET', KEYS[1], field, alipay) end
  if before == '' then redis.call('HINCRBY', KEYS[1], 'rules', 1) elseif alipay == '' then redis.call('HINCRBY', KEYS[1], 'rules', -1) end
  return true
end
`

// restrictScript remembers what a seller asks for.
//
//	KEYS    the pool's, then the change
//	ARGV    1 seller  2 alipay, or "" for any
//	returns ok | reused
var restrictScript = newChange(rules + `
local known = repeated()
if known then return known == true and {'ok', events} or known end
if restrict(ARGV[1], ARGV[2]) then tell('seller', nil, {seller = ARGV[1], alipay = ARGV[2] ~= '' and ARGV[2] or nil}) end
made()
return {'ok', events}
`)

// Restrict remembers that a seller takes keys with this kind of Alipay only, or any again if it is "": orders for its goods are
// drawn from such keys. The same again changes nothing. Errors: *worker.Denied, or a *worker.Trouble.
func (p *Pool) Restrict(ctx context.Context, pool, seller, alipay string, c Change) error {
	if seller == "" {
		return nil // nobody said whose goods they are
	}
	_, err := p.run(ctx, pool, restrictScript, c.keys(namesOf(pool)), c.args(valid(seller), alipay)...)
	return err
}

// Sellers gives the sellers that take keys with one kind of Alipay only, and which. Errors are *worker.Trouble.
func (p *Pool) Sellers(ctx context.Context, pool string) (map[string]string, error) {
	fields, err := p.fields(ctx, namesOf(pool).pool)
	sellers := map[string]string{}
	for field, alipay := range fields {
		if seller, ok := strings.CutPrefix(field, "seller:"); ok {
			sellers[seller] = alipay
		}
	}
	return sellers, err
}

// Learn is Restrict as the worker asks for it; see worker.Rules.
func (p *Pool) Learn(ctx context.Context, pool, seller, why string) error {
	return p.Restrict(ctx, pool, seller, worker.AlipayBusiness, Change{Why: why})
}
