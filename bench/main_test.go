package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"

	"autopurchase/internal/benchmark"
)

var (
	pairs      = flag.Int("pairs", 7, "how many runs each side gets")
	long       = flag.Duration("long", time.Second, "about how long one run takes")
	concurrent = flag.Int("concurrent", 64, "how many requests at a time")
	asJSON     = flag.Bool("json", false, "print one JSON object instead of the table")
)

// found is what was measured, by the peer's name.
var found = map[string]benchmark.Comparison{}

func TestMain(m *testing.M) {
	benchmark.ServeIfPart()
	logging.Disable()
	code := m.Run()
	if len(found) > 0 {
		tell()
	}
	os.Exit(code)
}

func tell() {
	if *asJSON {
		_ = json.NewEncoder(os.Stdout).Encode(found)
		return
	}
	fmt.Printf("\n%d requests at a time; the middle one of the pairs (lowest–highest)\n", *concurrent)
	for _, name := range []string{"asynq", "watermill"} {
		if c, ok := found[name]; ok {
			fmt.Printf("%-12s %7.0f a second   autopurchase %7.0f a second   ratio %.2f (%.2f–%.2f, %d pairs)\n",
				name, c.Other, c.Ours, c.Ratio, c.Lowest, c.Highest, c.Pairs)
		}
	}
}
