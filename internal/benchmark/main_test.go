package benchmark

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

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
		fmt.Printf("\n%s\n", strings.Join(table.rows, "\n"))
	}
	return code
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(thenTable{m}) }
