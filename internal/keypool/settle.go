package keypool

import (
	"context"

	"autopurchase/worker"
)

// settleScript ends a claim.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 owner  2 attempt  3 state  4 lines  5 units  6… the outcome's pieces
//	returns ok and the claim as it is now with turn done
//	        fenced | no_claim | broken <app key>
//
// The first outcome stands and is returned; only unknown gives way, to a fact. placed, partial and refused are facts, whoever
// brings them; while the claim is drawn, nothing was sent as far as the ledger knows, and only its owner may end it.
var settleScript = newScript(`
local owner, attempt, state = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local c = claim()
if not c then
  lose()
  return fail('no_claim')
end
local fact = state == 'placed' or state == 'partial' or state == 'refused'
if c.s == 'unknown' then
  if not fact then return answer(c, 'done') end
elseif c.s == 'sent' or c.s == 'drawn' then
  local mine = c.o == owner and c.a == attempt
  if not mine and not (fact and c.s == 'sent') then return fail('fenced') end
else
  return answer(c, 'done')
end

release()
local counted = 0
if state == 'placed' or state == 'partial' then
  counted = math.max(0, math.min(c.n, tonumber(c.u == 'units' and ARGV[5] or ARGV[4])))
end
local k
if c.k ~= '' then
  k = key(c.k)
  if not k then return fail('broken', c.k) end
end
if state == 'unknown' then
  counted = c.n
elseif k then
  move(k, counted, -c.n)
  tire(k)
  alarm()
end

for i = 0, 511 do
  if not c['r' .. i] then break end
  redis.call('HDEL', KEYS[6], 'r' .. i)
  c['r' .. i] = nil
end
local fields = {'s', state, 'n', int(counted), 'd', int(now)}
for i = 6, #ARGV do
  local name = 'r' .. (i - 6)
  c[name] = ARGV[i]
  fields[#fields + 1] = name
  fields[#fields + 1] = ARGV[i]
end
redis.call('HSET', KEYS[6], unpack(fields))
c.s, c.n, c.d = state, counted, now
return answer(c, 'done')
`)

// Settle ends a claim: it counts what was ordered, at most what was held, and gives back the rest. See worker.Ledger. A claim
// that is not there is worker.CodeLost.
func (p *Pool) Settle(ctx context.Context, claim worker.Claim, part worker.Part, size worker.Size) (worker.Claim, error) {
	if !part.State.Settled() {
		return claim, &worker.Trouble{Code: worker.CodeInternal, Reason: "settle: " + string(part.State) + " is no end"}
	}
	pieces := pack(part)
	args := make([]any, 0, 5+len(pieces))
	args = append(args, fit(claim.Owner), claim.Attempt, string(part.State), size.Lines, size.Units)
	for _, piece := range pieces {
		args = append(args, piece)
	}
	r, err := p.run(ctx, claim.Pool, settleScript, namesOf(claim.Pool).keys(claim.Reference), args...)
	if err != nil {
		return claim, err
	}
	return claimOf(claim.Pool, claim.Reference, r)
}
