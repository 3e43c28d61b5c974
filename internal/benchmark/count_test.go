package benchmark

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
)

// What one purchase takes, one at a time, and by how much more it may take before somebody has to look: a tenth. Whoever makes it take
// less lowers these.
const (
	mayGrowBy = 1.10

	redisTrips    = 2.0 // draw, settle
	natsTrips     = 2.8 // publish the result, acknowledge, pull: as many of these as do not travel together
	channelTrips  = 1.0
	redisCommands = 2.0 // as Redis itself counts scripts
	redisBytes    = 924.0
	natsBytes     = 1580.0
	channelBytes  = 565.0
	allocations   = 158.0 // with the race detector, which keeps the pools of memory from working as they do without
)

// TestAPurchaseCosts counts instead of timing, so that it says the same on every machine.
func TestAPurchaseCosts(t *testing.T) {
	r := newRig(t)
	before := evalshas(t, openRedis(t, r.redisURL))
	const n = 200
	got, err := r.counted(t.Context(), n)
	r.must(err)
	commands := float64(evalshas(t, openRedis(t, r.redisURL))-before) / (n + some/10)
	made, err := r.ours(16).allocations(t.Context(), some)
	r.must(err)
	for _, c := range []struct {
		what       string
		took, want float64
	}{
		{"round trips to Redis", got.redis, redisTrips},
		{"round trips to NATS", got.nats, natsTrips},
		{"round trips to the relay", got.channel, channelTrips},
		{"scripts in Redis", commands, redisCommands},
		{"bytes to and from Redis", got.redisBytes, redisBytes},
		{"bytes to and from NATS", got.natsBytes, natsBytes},
		{"bytes to and from the relay", got.channelBytes, channelBytes},
		{"allocations", made, allocations},
	} {
		t.Logf("%-28s %8.2f, at most %.2f", c.what, c.took, c.want*mayGrowBy)
		if c.took > c.want*mayGrowBy {
			t.Errorf("a purchase takes %.2f %s, more than a tenth above %.2f", c.took, c.what, c.want)
		}
		if c.took < c.want/2 {
			t.Errorf("a purchase takes %.2f %s: is it still counted right? It was %.2f", c.took, c.what, c.want)
		}
	}
}

// evalshas is how many scripts Redis has run.
func evalshas(t *testing.T, client *redis.Client) int64 {
	t.Helper()
	stats, err := client.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, found := range regexp.MustCompile(`cmdstat_eval\w*:calls=(\d+)`).FindAllStringSubmatch(stats, -1) {
		calls, _ := strconv.ParseInt(found[1], 10, 64) // digits
		sum += calls
	}
	return sum
}
