package benchmark

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"
)

var (
	pairs = flag.Int("pairs", 5, "how many runs each side gets")
	long  = flag.Duration("long", 1500*time.Millisecond, "about how long one run takes")
)

// table holds what the benchmarks found until all have run: the lines of the testing package itself are hard to read.
var table struct {
	mu   sync.Mutex
	rows []string
}

// legend says how the figures were made.
const legend = `Made on %d CPUs, all servers and the platform's stand-in included. Rates are per second, the middle one of %d runs of each side;
ratio is the middle one (lowest–highest) of pairs of neighbouring runs.
  draws      keypool.Draw. Bare: EVALSHA of one HINCRBY, each call for itself. redis-server, appendonly yes, appendfsync everysec.
  purchases  request on the stream to result on the stream and acknowledged; order channel, a platform that answers at once.
             Bare: pull, EVALSHA, websocket call, EVALSHA, publish, acknowledge, as many bytes, no logic. NATS with a file store.
  rebuild    keypool.Rebuild of a pool whose purchases are settled, counted in results. Bare: reading these, as they are. More memory:
             of the heap after a collection, at its highest point against the first tenth.
  worker     bin/autopurchase worker as a process of its own; VmHWM, RssAnon and RssFile of /proc/PID/status.
  coalesced  the bare loop's scripts travel together too: one that goes up by as many as wait for it.
  fsynced    NATS with sync always and Redis with appendfsync always, or Redis alone.
  per CPU    purchases per second of the processors' time of all processes, without publishing the requests.
  latency    from when a request is published to its acknowledgement, at half of what the slower side takes while its requests come.
  300 ms     a platform that takes so long; the bare loop waits by itself.
  dashboard  RssAnon of this process.`

// row adds a line to the table.
func row(format string, args ...any) {
	table.mu.Lock()
	defer table.mu.Unlock()
	table.rows = append(table.rows, fmt.Sprintf(format, args...))
}

// thenTable prints the table when everything has run.
type thenTable struct{ *testing.M }

func (t thenTable) Run() int {
	code := t.M.Run()
	if len(table.rows) > 0 {
		fmt.Printf("\n%s\n\n%s\n", strings.Join(table.rows, "\n"), fmt.Sprintf(legend, runtime.GOMAXPROCS(0), *pairs))
	}
	return code
}

func TestMain(m *testing.M) {
	ServeIfPart()
	logging.Disable() // what the client of Redis says by itself would tear the table
	goleak.VerifyTestMain(thenTable{m})
}
