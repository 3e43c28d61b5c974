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

// costs makes one run more on either side for what a purchase costs there: the objects that this process makes, the microseconds of
// processors' time that each process takes, and, in -profiles, what this process's went into.
func costs(b *testing.B, stored int, much, little *stock) {
	b.Helper()
	for _, side := range []struct {
		stored int
		*stock
	}{{stored, much}, {few, little}} {
		objects, took := side.costs(side.stored)
		row("%-26s %7.0f objects, microseconds: %s", fmt.Sprintf("a purchase, %d stored", side.stored), objects, took)
	}
}

func (s *stock) costs(stored int) (objects float64, took consumed) {
	s.Helper()
	const n = 5 * few
	end := recording(s, fmt.Sprintf("growth-%d.prof", stored))
	s.do(s.byCPU(s.ours.work, &took), n)
	end()
	objects, err := s.ours.allocations(s.Context(), n)
	s.must(err)
	return objects, took
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
