package keypool

import (
	"context"
	"errors"
	"fmt"

	"autopurchase/worker"
)

// What a pool counts as products.
const (
	CountLines = "lines" // order lines
	CountUnits = "units" // sum of the quantities
)

// Settings are what a pool is told, as opposed to what it counts.
type Settings struct {
	Count string // CountLines or CountUnits: what a key's limit counts. Orders under way keep the unit they were drawn in
	Width int    // how many keys are active at once, 1 to 1000
	Low   int64  // what all usable keys together can still take, below which the pool is low; 0 never
	By    string // who changes them, for the journal
}

// DefaultSettings are those of a pool that was made by adding its first key.
var DefaultSettings = Settings{Count: CountLines, Width: 1, Low: 100}

const maxWidth = 1000

// Validate names everything that is wrong with the settings.
func (s Settings) Validate() error {
	var wrong []error
	if s.Count != CountLines && s.Count != CountUnits {
		wrong = append(wrong, errors.New("count: must be lines or units"))
	}
	if s.Width < 1 || s.Width > maxWidth {
		wrong = append(wrong, fmt.Errorf("width: %d is not between 1 and %d", s.Width, maxWidth))
	}
	if s.Low < 0 || s.Low > maxCount {
		wrong = append(wrong, fmt.Errorf("low: %d is not between 0 and %d", s.Low, maxCount))
	}
	return errors.Join(wrong...)
}

// configureScript changes a pool's settings; the pool is made if it is missing.
//
//	KEYS    the pool's
//	ARGV    1 count  2 width  3 low  4 by
//	returns ok
//
// A smaller width sends the last active keys back to the head of the ready ones.
var configureScript = newScript(`
local count, width, low = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if pool.born and pool.count == count and pool.width == width and pool.low == low then return {'ok', events} end
pool.count, pool.width, pool.low = count, width, low
create(ARGV[4])
while redis.call('LLEN', KEYS[3]) > width do
  local k = key(redis.call('LINDEX', KEYS[3], -1))
  if not k then break end
  redis.call('RPOP', KEYS[3])
  redis.call('LPUSH', KEYS[4], k.app)
  become(k, 'ready')
end
fill()
if pool.size > 0 then alarm() end
return {'ok', events}
`)

// Configure changes a pool's settings; the pool is made if it is missing. The same settings again change nothing. Errors:
// Settings.Validate's, or a *worker.Trouble.
func (p *Pool) Configure(ctx context.Context, pool string, s Settings) error {
	if err := errors.Join(nameError(pool), s.Validate()); err != nil {
		return err
	}
	if err := p.name(ctx, pool); err != nil {
		return err
	}
	_, err := p.run(ctx, pool, configureScript, namesOf(pool).keys(), s.Count, s.Width, s.Low, valid(s.By))
	return err
}

// Settings gives a pool's settings; those of a pool that is not there yet are DefaultSettings. Errors are *worker.Trouble.
func (p *Pool) Settings(ctx context.Context, pool string) (Settings, error) {
	var have struct {
		Count string `redis:"count"`
		Width int    `redis:"width"`
		Low   int64  `redis:"low"`
	}
	if err := nameError(pool); err != nil {
		return Settings{}, err
	}
	if err := p.client.HMGet(ctx, namesOf(pool).pool, "count", "width", "low").Scan(&have); err != nil {
		return Settings{}, down(err)
	}
	if have.Count == "" {
		return DefaultSettings, nil
	}
	return Settings{Count: have.Count, Width: have.Width, Low: have.Low}, nil
}

func nameError(pool string) error {
	if err := worker.CheckName(pool); err != nil {
		return fmt.Errorf("pool: %w", err)
	}
	return nil
}
