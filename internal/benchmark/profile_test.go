package benchmark

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"testing"
)

var profiles = flag.String("profiles", "", "a folder for CPU profiles of BenchmarkGrowth, see go tool pprof; without it none is made")

// costs makes one run more for what a purchase costs where so many are stored: the objects that this process makes, the processors' time
// of all processes, and, in -profiles, what this process's went into.
func (s *stock) costs(b *testing.B, stored int) {
	const n = 5 * few
	end := recording(b, fmt.Sprintf("growth-%d.prof", stored))
	took := s.do(s.byCPU(s.ours.work, &consumed{}), n)
	end()
	objects, err := s.ours.allocations(s.Context(), n)
	s.must(err)
	row("%-26s %7.0f objects, %.0f us of processors", fmt.Sprintf("a purchase, %d stored", stored), objects, float64(took.Microseconds())/n)
}

// recording writes a CPU profile of this process until its end is called.
func recording(t testing.TB, name string) (end func()) {
	t.Helper()
	if *profiles == "" {
		return func() {}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(*profiles, 0o755))
	file, err := os.Create(filepath.Join(*profiles, name))
	must(err)
	must(pprof.StartCPUProfile(file))
	return func() {
		t.Helper()
		pprof.StopCPUProfile()
		must(file.Close())
	}
}
