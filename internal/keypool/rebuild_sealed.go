package keypool

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"autopurchase/worker"
)

// restoreScript puts back what is sealed and missing, or older than in the journal. It does nothing once the pool is verified.
//
//	KEYS    the pool's, then what is sealed
//	ARGV    1 server as it was seen, then names and values of fields
//	returns ok
var restoreScript = newOpenScript(`
if pool.server ~= ARGV[1] then return {'ok', events} end
for i = 2, #ARGV, 2 do
  local have = string.match(redis.call('HGET', KEYS[6], ARGV[i]) or '0', '^%d+')
  if tonumber(have) < tonumber(string.match(ARGV[i + 1], '^%d+')) then redis.call('HSET', KEYS[6], ARGV[i], ARGV[i + 1]) end
end
return {'ok', events}
`)

// recallSealed remembers what an event says of a sealed value, as Redis keeps it.
func (k *pastKey) recallSealed(event worker.PoolEvent) {
	value := fmt.Sprintf("%d %d %s %s", event.Sequence, event.Ends, event.Print, event.Sealed)
	switch event.Kind {
	case worker.EventSecret:
		k.print = event.Print
		k.recallField(fieldSecret, value)
	case worker.EventTokens:
		k.recallField(fieldTokens, value)
	case worker.EventEnding:
		k.recallField(fieldTold, fmt.Sprintf("%d %s", event.Ends, event.Why))
	}
}

func (k *pastKey) recallField(field, value string) {
	if k.sealed == nil {
		k.sealed = map[string]string{}
	}
	k.sealed[k.appKey+"."+field] = value
}

// restoreSealed brings what is sealed to what the journal says.
func (p *Pool) restoreSealed(ctx context.Context, past *past, before standing) error {
	const some = 50 // keys at once: a sealed value has some 1,000 bytes
	n := namesOf(past.pool)
	for keys := range slices.Chunk(past.keys, some) {
		args := []any{before.server}
		for _, k := range keys {
			for _, field := range slices.Sorted(maps.Keys(k.sealed)) {
				args = append(args, field, k.sealed[field])
			}
		}
		if len(args) == 1 {
			continue
		}
		if _, err := p.run(ctx, past.pool, restoreScript, append(n.keys(), n.sealed), args...); err != nil {
			return err
		}
	}
	return nil
}
