package keypool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
	// Strategy is which active key takes an order: StrategyFirst, the default, or StrategyEven.
	Strategy string
	// Recipients are for whom secrets are sealed: the public keys of the relays, as age writes them.
	Recipients []string
	// Tenants are those who may draw from the pool, with the weight of each where several wait for room; without any, everybody
	// may, and weighs the same.
	Tenants map[string]int
	// Preview is whether orders whose request says nothing of it are previewed before they are drawn for: never, the default,
	// always, or above, if the request's expected sum is above PreviewAbove or not known.
	Preview      worker.Previewing
	PreviewAbove worker.Fen
	Version      int64 // counts their changes; not to be set
	// Asked is the question that these settings answer, if it named only some of them: by it the same message is known again,
	// although others were changed meanwhile. It is not kept.
	Asked string
}

// Which of the active keys takes an order.
const (
	StrategyFirst = "first" // the first one with room, so that keys are used up one after the other
	StrategyEven  = "even"  // the one with the most room
)

// DefaultSettings are those of a pool that was made by adding its first key.
var DefaultSettings = Settings{Count: CountLines, Width: 1, Low: 100, Strategy: StrategyFirst, Preview: worker.PreviewNever}

const (
	maxWidth  = 1000
	maxWeight = 1000
)

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
	if s.Strategy != "" && s.Strategy != StrategyFirst && s.Strategy != StrategyEven {
		wrong = append(wrong, errors.New("strategy: must be first or even"))
	}
	for i, r := range s.Recipients {
		if worker.CheckName(r) != nil {
			wrong = append(wrong, fmt.Errorf("recipients[%d]: is no recipient of age", i))
		}
	}
	for tenant, weight := range s.Tenants {
		if worker.CheckName(tenant) != nil || weight < 1 || weight > maxWeight {
			wrong = append(wrong, fmt.Errorf("tenants.%s: must be a tenant's name with a weight between 1 and %d", tenant, maxWeight))
		}
	}
	if err := s.checkPreview(); err != nil {
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

func (s Settings) checkPreview() error {
	switch s.Preview {
	case "", worker.PreviewNever, worker.PreviewAlways:
		if s.PreviewAbove != 0 {
			return errors.New("preview_above: is for preview above")
		}
		return nil
	case worker.PreviewAbove:
		if s.PreviewAbove < 1 {
			return errors.New("preview_above: must be above 0")
		}
		return nil
	}
	return errors.New("preview: must be never, always or above")
}

// preview writes the setting as the scripts and the journal know it: never, always or above and yuan.
func (s Settings) preview() string {
	if s.Preview == worker.PreviewAbove {
		return "above " + s.PreviewAbove.Yuan()
	}
	return string(cmp.Or(s.Preview, worker.PreviewNever))
}

// withPreview reads it back.
func (s Settings) withPreview(text string) Settings {
	word, sum, _ := strings.Cut(text, " ")
	s.Preview = cmp.Or(worker.Previewing(word), worker.PreviewNever)
	s.PreviewAbove, _ = worker.ParseYuan(sum) // "" is 0; only preview writes them
	return s
}

// shares writes tenants as the scripts know them.
func shares(tenants map[string]int) string {
	var words []string
	for _, tenant := range slices.Sorted(maps.Keys(tenants)) {
		words = append(words, tenant+"="+strconv.Itoa(tenants[tenant]))
	}
	return strings.Join(words, " ")
}

// tenantsOf reads them back.
func tenantsOf(shares string) map[string]int {
	tenants := map[string]int{}
	for _, word := range strings.Fields(shares) {
		tenant, weight, _ := strings.Cut(word, "=")
		tenants[tenant], _ = strconv.Atoi(weight) // only shares writes them
	}
	return tenants
}

// configureScript changes a pool's settings; the pool is made if it is missing.
//
//	KEYS    the pool's, then the change
//	ARGV    1 count  2 width  3 low  4 strategy  5 recipients  6 tenants  7 preview
//	        8 what was asked for, or ""
//	returns ok | stale | reused
//
// A smaller width sends the last active keys back to the head of the ready ones.
var configureScript = newChange(`
local count, width, low, strategy, recipients, tenants = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
local preview = ARGV[7]
if ARGV[8] ~= '' then meaning = ARGV[8] end
local known = repeated()
if known then return known == true and {'ok', events} or known end
local v = redis.call('HMGET', KEYS[1], 'version', 'recipients')
local old = stale(v[1])
if old then return old end
made()
local same = pool.count == count and pool.width == width and pool.low == low and pool.strategy == strategy and pool.tenants == tenants
  and pool.preview == preview
if pool.born and same and (v[2] or '') == recipients then return {'ok', events} end
pool.count, pool.width, pool.low, pool.strategy, pool.tenants, pool.preview = count, width, low, strategy, tenants, preview
create(recipients)
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
// Settings.Validate's, *worker.Denied, or a *worker.Trouble.
func (p *Pool) Configure(ctx context.Context, pool string, s Settings, c Change) error {
	if err := errors.Join(nameError(pool), s.Validate()); err != nil {
		return err
	}
	if err := p.name(ctx, pool); err != nil {
		return err
	}
	args := c.args(s.Count, s.Width, s.Low, cmp.Or(s.Strategy, StrategyFirst), strings.Join(s.Recipients, " "), shares(s.Tenants),
		s.preview(), s.Asked)
	_, err := p.run(ctx, pool, configureScript, c.keys(namesOf(pool)), args...)
	return err
}

// Settings gives a pool's settings; those of a pool that is not there yet are DefaultSettings. Errors are *worker.Trouble.
func (p *Pool) Settings(ctx context.Context, pool string) (Settings, error) {
	var have struct {
		Count      string `redis:"count"`
		Width      int    `redis:"width"`
		Low        int64  `redis:"low"`
		Strategy   string `redis:"strategy"`
		Recipients string `redis:"recipients"`
		Tenants    string `redis:"tenants"`
		Preview    string `redis:"preview"`
		Version    int64  `redis:"version"`
	}
	if err := nameError(pool); err != nil {
		return Settings{}, err
	}
	fields := []string{"count", "width", "low", "strategy", "recipients", "tenants", "preview", "version"}
	if err := p.client.HMGet(ctx, namesOf(pool).pool, fields...).Scan(&have); err != nil {
		return Settings{}, down(err)
	}
	if have.Count == "" {
		return DefaultSettings, nil
	}
	settings := Settings{
		Count: have.Count, Width: have.Width, Low: have.Low, Strategy: have.Strategy, Recipients: strings.Fields(have.Recipients),
		Tenants: tenantsOf(have.Tenants), Version: have.Version,
	}
	return settings.withPreview(have.Preview), nil
}

func nameError(pool string) error {
	if err := worker.CheckName(pool); err != nil {
		return fmt.Errorf("pool: %w", err)
	}
	return nil
}
