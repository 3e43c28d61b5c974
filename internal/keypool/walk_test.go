package keypool

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"autopurchase/internal/workertest"
)

// What a plain go test does; -rapid.checks and -rapid.steps change it. A report names the seed with which it comes again.
const (
	walkers  = 32  // histories under way at once
	checks   = 313 // histories of each walker
	avgSteps = 12  // of a history, on average
)

func init() { // before flags are read
	_ = flag.Set("rapid.checks", fmt.Sprint(checks))
	_ = flag.Set("rapid.steps", fmt.Sprint(avgSteps))
}

// fewer lets a test walk through a part of the histories.
func fewer(t *testing.T, part int) {
	checks := flag.Lookup("rapid.checks").Value.(flag.Getter).Get().(int)
	_ = flag.Set("rapid.checks", fmt.Sprint(max(1, checks/part)))
	t.Cleanup(func() { _ = flag.Set("rapid.checks", fmt.Sprint(checks)) })
}

// quickRedis is the URL of a server that keeps no file and is reached without the network.
func quickRedis(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "redis") //nolint:usetesting // the path of a socket may be no longer than 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	workertest.Redis(t, "--appendonly", "no", "--unixsocket", socket)
	return "unix://" + socket
}

// walk checks a property in so many subtests at once. When one has found a history that breaks it, the others end, so that there
// is one report.
func walk(t *testing.T, walkers int, p *Pool, property func(*walked, *rapid.T)) {
	t.Helper()
	var broken atomic.Pointer[testing.T]
	var group sync.WaitGroup
	for i := range walkers {
		group.Go(func() {
			t.Run(fmt.Sprint("walker-", i), func(t *testing.T) {
				others := func() bool { first := broken.Load(); return first != nil && first != t }
				rapid.Check(t, func(r *rapid.T) {
					defer func() {
						if r.Failed() && !broken.CompareAndSwap(nil, t) && others() {
							t.SkipNow()
						}
					}()
					if others() {
						t.SkipNow()
					}
					property(&walked{p: p, pool: fmt.Sprint("h", histories.Add(1)), granted: map[string]holder{}}, r)
				})
			})
		})
	}
	group.Wait()
}

// histories tells the pools of all histories apart.
var histories atomic.Int64
