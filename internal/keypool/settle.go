package keypool

import (
	"context"

	"autopurchase/worker"
)

// settleScript ends a claim.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 owner  2 attempt  3 state  4 lines  5 units  6… the outcome's pieces
//	returns ok and the claim, with turn done, in brief if it ended in this step on one key
//	        fenced | no_claim | broken <app key>
//
// The first outcome stands and is returned; only unknown gives way, to a fact. placed, partial and refused are facts, whoever
// brings them; while the claim is drawn, nothing was sent as far as the ledger knows, and only its owner may end it.
var settleScript = newStep(2, `
local owner, attempt, state = ARGV[1], ARGV[2], ARGV[3]
local c = redis.call('HMGET', KEYS[6], 's', 'o', 'a', 'k', 'n', 'u', 'x', 'e0')
local was, app, held = c[1], c[4], tonumber(c[5])
if not was then
  lose()
  return fail('no_claim')
end
local fact = state == 'placed' or state == 'partial' or state == 'refused'
if was == 'unknown' then
  if not fact then return answer(claim(), 'done') end
elseif was == 'sent' or was == 'drawn' then
  local mine = c[2] == owner and c[3] == attempt
  if not mine and not (fact and was == 'sent') then return fail('fenced') end
else
  return answer(claim(), 'done')
end

local others = c[8] and also(claim()) or {}
for _, other in ipairs(others) do
  if not key(other) then return fail('broken', other) end
end

release()
local counted = 0
if state == 'placed' or state == 'partial' then
  counted = math.max(0, math.min(held, tonumber(c[6] == 'units' and ARGV[5] or ARGV[4])))
end
local k
if app ~= '' then
  k = key(app)
  if not k then return fail('broken', app) end
end
if state == 'unknown' then
  counted = held
elseif k then
  move(k, counted, -held)
  tire(k)
  for _, other in ipairs(others) do
    local o = key(other)
    move(o, counted, -held)
    tire(o)
  end
end
alarm()

if was == 'unknown' then -- what was said of it gives way
  for i = 0, 511 do
    if redis.call('HDEL', KEYS[6], 'r' .. i) == 0 then break end
  end
end
finish(state, counted, 6)
if c[8] then return answer(claim(), 'done') end
return brief('done', app, counted, tonumber(c[3]), tonumber(c[7] or '0'))
`)

// Settle ends a claim: it counts what was ordered, at most what was held, and gives back the rest. See worker.Ledger. A claim
// that is not there is worker.CodeLost.
func (p *Pool) Settle(ctx context.Context, claim *worker.Claim, part *worker.Part, size worker.Size) error {
	if !part.State.Settled() {
		return &worker.Trouble{Code: worker.CodeInternal, Reason: "settle: " + string(part.State) + " is no end"}
	}
	part = abridge(*part)
	pieces := pack(part)
	args := make([]any, 0, 5+len(pieces))
	args = append(args, fit(claim.Owner), claim.Attempt, string(part.State), size.Lines, size.Units)
	for _, piece := range pieces {
		args = append(args, piece)
	}
	r, err := p.run(ctx, claim.Pool, settleScript, p.names(claim.Pool).keys(claim.Reference), args...)
	if err != nil {
		return err
	}
	return r.change(claim, part)
}
