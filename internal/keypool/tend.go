package keypool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"autopurchase/worker"
)

// tend sees to it that pools are verified: as soon as a step was turned down, and once in a while for a Redis that was
// exchanged behind connections that stayed. It ends with ctx.
func (p *Pool) tend(ctx context.Context) {
	tick := time.NewTicker(p.config.FlushEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.doubts.signal:
		case <-tick.C:
		}
		err := p.look(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			p.log.Warn().Err(err).Msg("redis cannot be compared with the journal yet: nothing is drawn meanwhile")
		}
		failing = err != nil
	}
}

// look verifies every pool that needs it, and then concludes what the broker knows the end of.
func (p *Pool) look(ctx context.Context) error {
	pools, err := p.Pools(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, pool := range slices.Compact(slices.Sorted(slices.Values(append(pools, p.doubts.list()...)))) {
		err := p.Rebuild(ctx, pool, p.config.History)
		if err == nil {
			p.doubts.done(pool)
			err = p.conclude(ctx, pool)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("pool %s: %w", pool, err))
		}
	}
	return errors.Join(failed...)
}

// concludeScript ends what a lost record stands for, from the result that is on record.
//
//	KEYS    the pool's, then the claim
//	ARGV    1 app keys or "" if nothing was ordered  2 products  3 placed or unknown  4 decided at ms  5 number of pieces  6… pieces
//	returns ok
//
// A record that holds nothing marks a claim that was counted when it was lost.
var concludeScript = newScript(`
local record = lost()
if not record then return {'ok', events} end
release()
local c = claim()
if record == '0' or c and c.s ~= 'drawn' and c.s ~= 'sent' then
  alarm()
  return {'ok', events}
end
if c then
  loosen(c)
  redis.call('DEL', KEYS[6])
end
local apps, n = {}, tonumber(ARGV[2])
for app in string.gmatch(ARGV[1], '%S+') do
  if key(app) then apps[#apps + 1] = app end
end
for _, app in ipairs(apps) do
  local k = key(app)
  if ARGV[3] == 'unknown' then
    move(k, 0, n)
  else
    move(k, n, 0)
    tire(k)
  end
end
if apps[1] and ARGV[3] == 'unknown' then
  redis.call('HSET', KEYS[6], 's', 'unknown', 'k', apps[1], 'n', n, 'u', pool.count, 'f', '', 'o', '', 'a', 0, 't', ARGV[4], 'd', 0)
  for e = 2, #apps do redis.call('HSET', KEYS[6], 'e' .. (e - 2), apps[e]) end
  for r = 1, tonumber(ARGV[5]) do redis.call('HSET', KEYS[6], 'r' .. (r - 1), ARGV[5 + r]) end
end
alarm()
return {'ok', events}
`)

// conclude ends the lost records of requests whose results are on record: a worker that had settled its claim on the Redis
// that is gone has published since.
func (p *Pool) conclude(ctx context.Context, pool string) error {
	references, err := p.lost(ctx, pool)
	if err != nil {
		return err
	}
	for _, reference := range references {
		tenant, ref, _, ok := worker.ParseReference(reference)
		if !ok {
			continue
		}
		id, _ := worker.DecodeRef(ref) // it was parsed
		result, found, err := p.config.History.Result(ctx, tenant, id)
		if err != nil {
			return err
		}
		if !found || result.Provisional() {
			continue
		}
		args, told := ending(result, reference)
		if !told {
			continue
		}
		if _, err := p.run(ctx, pool, concludeScript, namesOf(pool).keys(reference), args...); err != nil {
			return err
		}
	}
	return nil
}

// ending writes what a result says about one order; told is false when it leaves it open.
func ending(result worker.Result, reference string) (args []any, told bool) {
	for _, order := range result.Orders {
		if order.OutOrderID == reference {
			return []any{words(order.AppKey, order.AlsoOn), order.Products, "placed", 0, 0}, true // the first one counts for all
		}
	}
	for _, open := range result.Unknown {
		if open.OutOrderID == reference {
			part := worker.Part{Code: result.Code, Reason: result.Reason}
			return appendPieces([]any{words(open.AppKey, open.AlsoOn), open.Products, "unknown", result.DecidedAt.UnixMilli()}, part), true
		}
	}
	return []any{"", 0, "placed", 0, 0}, result.Outcome != worker.OutcomeUnknown || len(result.Unknown) > 0
}

// words writes app keys as scripts take them.
func words(first string, others []string) string {
	return strings.Join(append([]string{first}, others...), " ")
}

// lost lists the references of a pool's lost records.
func (p *Pool) lost(ctx context.Context, pool string) (references []string, err error) {
	n := namesOf(pool)
	var count string
	err = p.patiently(ctx, func(ctx context.Context) (err error) {
		count, err = p.client.HGet(ctx, n.pool, "lost").Result()
		return err
	})
	if number, _ := strconv.Atoi(count); err != nil || number == 0 {
		return nil, err
	}
	var fields []string
	err = p.patiently(ctx, func(ctx context.Context) (err error) {
		fields, err = p.client.HKeys(ctx, n.pool).Result()
		return err
	})
	for _, field := range fields {
		if reference, ok := strings.CutPrefix(field, lostPrefix+n.claim); ok {
			references = append(references, reference)
		}
	}
	return references, err
}
