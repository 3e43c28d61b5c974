package keypool

import (
	"context"
	"errors"
	"math"
	"strings"

	"autopurchase/worker"
)

// drawScript draws a claim and marks it sent, in one step.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 fingerprint  2 owner  3 attempt  4 published, ms  5 lines  6 units  7 seller or ""  8 tenant, and these, which may be ""
//	        and are left out where nothing else follows:  9 account  10 alipay
//	        11 never | always to preview an order without a claim first, or "" as the pool's setting says
//	        12 1 if it must stay with the account that it was drawn from first  13 on these keys
//	        14 birth of the pool before which nobody else can have sent it
//	returns ok and the claim with turn send, look_up or done, in brief if it was made or moved
//	        ok and in brief, with turn preview, the key to preview it with, in the last place the sum above which it is to be; nothing
//	        was drawn
//	        conflict | fenced | no_pool | lost | doubtful <birth> [lost] | too_large <limit> | broken <app key> |
//	        no_key <n>;<alipay>;<key whose account it must be>;<keys whose accounts it must not be> | turned_down <key why>, … |
//	        unknown_key <app key> | forbidden
//
// A claim that was sent is given back to the same owner in the same attempt as to be sent: its reply was lost, and an owner
// draws again only before sending. Whoever overtakes must look it up, also if its reply was lost. A drawn claim goes on with
// its key, unless that was taken out of use meanwhile: then it moves, to another key of the same account if one has room. Accounts that
// turned it down get it no more, and once all have that may pay for it, it is turned down.
//
// A reference with a lost record is looked up on every key before anything is sent. Who handles its first delivery knows that it
// has not sent it, since it only draws before sending; but a later delivery may have, and the claim that fences the first one off
// may be lost. So a first delivery that is older than the pool is doubtful until its caller knows better; see clear. If there is
// no key for it then, or it is to be previewed first, a claim without a key stays behind, or its next delivery would be taken for
// lost.
//
// An order that was found on several keys, since the platform shows it to all of a buyer's, counts on each of them that may have
// taken it: those that its lost record or its claim name, or, where these name none, those of its account, or all.
var drawScript = newStep(1, `
for i = #ARGV + 1, 14 do ARGV[i] = '' end
local print, owner, attempt, published = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local account, bound, alipay = ARGV[9], ARGV[13] ~= '', ARGV[10]
local n = tonumber(pool.count == 'units' and ARGV[6] or ARGV[5])
local c = claim()
if c and c.f ~= '' and c.f ~= print then return fail('conflict') end
if c and c.s ~= 'drawn' and c.s ~= 'sent' then return answer(c, 'done') end
if not pool.born or pool.size == 0 then return fail('no_pool') end

local function put(k, turn, others)
  move(k, 0, n)
  redis.call('HSET', KEYS[6], 's', 'sent', 'k', k.app, 'n', n, 'f', print, 'o', owner, 'a', attempt, 't', now)
  if c or pool.count == 'units' then redis.call('HSET', KEYS[6], 'u', pool.count) end
  if c or turn == 'look_up' then redis.call('HSET', KEYS[6], 'l', turn == 'look_up' and 1 or 0) end
  for i, app in ipairs(others or {}) do
    move(key(app), 0, n)
    redis.call('HSET', KEYS[6], 'e' .. (i - 1), app)
  end
  alarm()
  if others then return answer(claim(), turn) end
  return brief(turn, k.app, n, attempt, c and tonumber(c.x))
end

-- wanted are the keys that ARGV names, or the first of them that is not known
local wanted, named = {}, {}
if bound then
  for app in string.gmatch(ARGV[13], '%S+') do
    if not key(app) then wanted = app break end
    wanted[#wanted + 1] = app
  end
end
local function narrow()
  if #wanted < 2 then return end
  for app in string.gmatch(string.match(lost() or '', '^%S+(.*)') or '', '%S+') do named[app] = true end
  for _, app in ipairs(c and on(c) or {}) do named[app] = true end
  local could, nothing = {}, not next(named)
  for _, app in ipairs(wanted) do
    if named[app] or nothing and account ~= '' and key(app).account == account then could[#could + 1] = app end
  end
  if #could > 0 then wanted = could end
end

local function stays()
  local apps, there = on(c), {}
  for _, app in ipairs(apps) do there[app] = true end
  for _, app in ipairs(wanted) do
    if not there[app] then return false end
  end
  return #apps == #wanted
end

local home, gone, said = c and key(c.k ~= '' and c.k or c.h or ''), turned(c)
local fixed = home and ARGV[12] == '1'
if alipay == '' and c then alipay = c.q or '' end
if alipay == '' and pool.rules > 0 then alipay = redis.call('HGET', KEYS[1], 'seller:' .. ARGV[7]) or '' end
local function pays(k)
  for _, other in ipairs(gone) do
    if same(k, other) then return false end
  end
  return (account == '' or k.account == account) and (alipay == '' or k.alipay == alipay) and not (fixed and not same(k, home))
end
local function fits(k) return pays(k) and k.used + k.held + n <= k.limit end
local function near(k) return same(k, home) and fits(k) end

local function pick(fits)
  for list = 3, 4 do
    local best
    for i = 0, pool.size do
      local app = nth(list, i)
      if not app then break end
      local k = key(app)
      if not k then return nil, 'broken', app end
      if fits(k) and (not best or room(k) > room(best)) then best = k end
      if best and (list == 4 or pool.strategy ~= 'even') then break end
    end
    if best then return best end
  end
end

local function choose()
  local k, status, detail
  if home then k, status, detail = pick(near) end
  if not k and not status then k, status, detail = pick(fits) end
  if k or status then return k, status, detail end
  local largest = -1
  for _, app in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local k = key(app)
    if not k then return nil, 'broken', app end
    if k.state ~= 'retired' and pays(k) then largest = math.max(largest, k.limit) end
  end
  if largest >= 0 and n > largest then return nil, 'too_large', n .. ' of ' .. largest end
  if largest < 0 and #said > 0 then return nil, 'turned_down', table.concat(said, ', ') end
  local apart = {}
  for i, k in ipairs(gone) do apart[i] = k.app end
  return nil, 'no_key', table.concat({n, alipay, fixed and home.app or '', table.concat(apart, ' ')}, ';')
end

-- stub stays behind where nothing was drawn
local function stub()
  if c or published >= pool.born then return end
  redis.call('HSET', KEYS[6], 's', 'drawn', 'k', '', 'n', 0, 'u', pool.count, 'f', print, 'o', owner, 'a', attempt, 't', 0)
end

-- above is the sum above which the order is to be previewed first; nil for never
local function above()
  if ARGV[11] ~= '' then return ARGV[11] == 'always' and 0 or nil end
  if pool.preview == 'always' then return 0 end
  return tonumber((string.gsub(pool.preview, '%D', ''))) -- of "above 1234.50", fen
end

local function doubtful()
  local born = tostring(pool.born)
  if bound or attempt == 1 and (ARGV[14] == born or server == '' and not lost()) then return nil end
  if attempt > 1 then return fail('lost') end
  return fail('doubtful', lost() and born .. ' lost' or born)
end

if c then
  local mine = c.o == owner and c.a == attempt
  if not mine and attempt <= c.a then return fail('fenced') end
  if type(wanted) == 'string' then return fail('unknown_key', wanted) end
  local doubt = lost() and doubtful()
  if doubt then
    redis.call('HSET', KEYS[6], 'o', owner, 'a', attempt)
    return doubt
  end
  narrow()
  release()
  if c.s == 'sent' and (not bound or stays()) then
    alarm()
    -- who took the claim over to look it up repeats that; only who marked it sent may be told again to send
    if mine then return answer(c, not bound and redis.call('HGET', KEYS[6], 'l') ~= '1' and 'send' or 'look_up') end
    redis.call('HSET', KEYS[6], 'o', owner, 'a', attempt, 'l', 1)
    c.o, c.a = owner, attempt
    return answer(c, 'look_up')
  end
  for _, app in ipairs(on(c)) do
    if not key(app) then return fail('broken', app) end
  end
  local k = c.k ~= '' and key(c.k)
  if k and not bound and not resting[k.state] then
    redis.call('HSET', KEYS[6], 's', 'sent', 'o', owner, 'a', attempt, 't', now, 'l', 0)
    c.s, c.o, c.a, c.t = 'sent', owner, attempt, now
    return answer(c, 'send')
  end
  if k then
    loosen(c)
    redis.call('HSET', KEYS[6], 'h', k.app)
  end
elseif lost() or published < pool.born then
  local doubt = doubtful()
  if doubt then return doubt end
end

if bound then
  if type(wanted) == 'string' then return fail('unknown_key', wanted) end
  narrow()
  release()
  local first = table.remove(wanted, 1)
  return put(key(first), 'look_up', #wanted > 0 and wanted or nil)
end
if not c and pool.tenants ~= '' and not string.find(' ' .. pool.tenants, ' ' .. ARGV[8] .. '=', 1, true) then return fail('forbidden') end
release()
local k, status, detail = choose()
if not k then
  alarm() -- what was given back may have ended one
  if status == 'no_key' then stub() end
  return fail(status, detail)
end
local sum = above()
if sum then
  alarm()
  stub()
  return brief('preview', k.app, 0, attempt, sum)
end
return put(k, 'send')
`)

// Draw finds room for an order on one key, marks the claim sent and returns it, or returns the claim as an earlier delivery
// left it. See worker.Ledger for the troubles; an order for a key the pool does not know is worker.CodeInternal.
func (p *Pool) Draw(ctx context.Context, draw *worker.Draw) (*worker.Claim, error) {
	if err := check(draw); err != nil {
		return nil, err
	}
	r, err := p.drawn(ctx, draw, "")
	for range maxDoubts {
		if r.text(0) != statusDoubtful {
			break
		}
		born, lost := strings.CutSuffix(r.text(2), " lost")
		if err = p.clear(ctx, draw, lost); err != nil {
			return nil, err
		}
		r, err = p.drawn(ctx, draw, born)
	}
	if err != nil {
		return nil, err
	}
	if r.brief == "" {
		return r.stands(draw)
	}
	return r.made(draw), nil
}

// stands is the claim of a draw that was there already.
func (r reply) stands(draw *worker.Draw) (*worker.Claim, error) {
	claim, err := claimOf(draw.Pool, draw.Reference, r)
	return &claim, err
}

// made is the claim that a draw has made or moved, or that is still to be made.
func (r reply) made(draw *worker.Draw) *worker.Claim {
	claim := &worker.Claim{Pool: draw.Pool, Reference: draw.Reference, State: worker.ClaimSent, Owner: fit(draw.Owner)}
	r.about(claim)
	if claim.Turn == worker.TurnPreview {
		claim.State, claim.Above, claim.Resent = "", worker.Fen(claim.Resent), 0
	} else {
		claim.SentAt = claim.Now
	}
	return claim
}

func (p *Pool) drawn(ctx context.Context, draw *worker.Draw, cleared string) (reply, error) {
	tenant, _, _ := strings.Cut(draw.Reference, ".")
	stays := ""
	if draw.Stays {
		stays = "1"
	}
	r, err := p.run(ctx, draw.Pool, drawScript, p.names(draw.Pool).keys(draw.Reference), curt(
		fit(draw.Fingerprint), fit(draw.Owner), draw.Attempt, draw.Published.UnixMilli(), draw.Size.Lines, draw.Size.Units,
		draw.Seller, tenant, draw.Account, draw.Alipay, string(draw.Preview), stays, strings.Join(draw.OnKeys, " "), cleared)...)
	if trouble, ok := errors.AsType[*worker.Trouble](err); ok && trouble.Code == worker.CodeNoKey {
		trouble.Payer.Account = draw.Account
	}
	return r, err
}

// curt leaves out the empty ones at the end: Redis makes something of each.
func curt(args ...any) []any {
	for args[len(args)-1] == "" {
		args = args[:len(args)-1]
	}
	return args
}

// maxCount is the largest number of products of an order: above it Lua's numbers are no longer exact when two are added.
const maxCount = math.MaxInt32

// check refuses what no script should see. A caller that decodes strictly never meets it.
func check(draw *worker.Draw) error {
	wrong := func(reason string) error {
		return &worker.Trouble{Code: worker.CodeInternal, Reason: "draw: " + reason}
	}
	switch {
	case worker.CheckName(draw.Pool) != nil:
		return wrong("pool " + worker.CheckName(draw.Pool).Error())
	case draw.Reference == "" || draw.Owner == "" || draw.Attempt < 1:
		return wrong("reference, owner and attempt are required")
	case draw.Size.Lines < 1 || draw.Size.Units < 1:
		return wrong("size must be above 0")
	case draw.Size.Lines > maxCount || draw.Size.Units > maxCount:
		return &worker.Trouble{Code: worker.CodeTooLarge, Reason: "the order has more products than any key may take"}
	}
	return nil
}
