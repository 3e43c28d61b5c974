package keypool

import (
	"fmt"
	"testing"
	"time"

	"autopurchase/worker"
)

// TestAPoolIsRebuiltWithThousandsUnderWay on very many keys, within the time that a step has where nothing is set.
func TestAPoolIsRebuiltWithThousandsUnderWay(t *testing.T) {
	p := open(t, quickRedis(t), func(c *Config) { c.CallTimeout = defaultCallTimeout })
	const keys, orders = 300, 5000
	s := &stored{}
	for i := range keys {
		s.events = append(s.events, worker.PoolEvent{Pool: "default", Sequence: int64(i + 1), Kind: worker.EventAdded,
			AppKey: fmt.Sprint(1000001 + i), Limit: 1000, Count: CountLines, Width: 1})
	}
	for i := range orders {
		s.flights = append(s.flights, under(fmt.Sprint("r", i), 1))
	}
	began := time.Now()
	rebuild(t, p, s)
	t.Logf("took %v", time.Since(began))
	wantHeld(t, p, "1000001", 0, orders)
}
