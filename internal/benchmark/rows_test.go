package benchmark

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

var manyOrders = flag.Int("orders", 20_000, "how many purchases BenchmarkStaysSmall makes")

// BenchmarkCoalesced compares purchases with a bare loop whose scripts travel together too.
func BenchmarkCoalesced(b *testing.B) {
	for _, concurrent := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(concurrent), func(b *testing.B) {
			r := newRig(b)
			t := compare(b, r.ours(concurrent).run, r.bare(concurrent).coalesce(b).run)
			t.report(b, fmt.Sprintf("coalesced bare, %d", concurrent), "purchases/s")
		})
	}
}

// BenchmarkDurable compares where every write is on the disk before it is acknowledged: all of them, or Redis's only.
func BenchmarkDurable(b *testing.B) {
	for _, c := range []struct{ name, nats string }{{"all", NATSSync}, {"redis", NATS}} {
		for _, concurrent := range []int{1, 16, 64} {
			b.Run(fmt.Sprint(c.name, "/", concurrent), func(b *testing.B) {
				r := newRigOn(b, c.nats, "--appendfsync", "always")
				t := compare(b, r.ours(concurrent).run, r.bare(concurrent).run)
				t.report(b, fmt.Sprintf("fsynced: %s, %d", c.name, concurrent), "purchases/s")
			})
		}
	}
}

// BenchmarkLatency compares how long a purchase takes at half the load.
func BenchmarkLatency(b *testing.B) {
	r := newRig(b)
	ours, bare := r.ours(orders), r.bare(orders)
	r.do(ours.run, some) // warms up
	n, err := plan{long: *long}.size(b.Context(), bare.run)
	r.must(err)
	pace, err := halfLoad(b.Context(), n, ours.paced, bare.paced)
	r.must(err)
	n = max(some, int(pace*long.Seconds()))
	var half, most, bareHalf, bareMost []float64
	for range *pairs {
		a, err := ours.paced(b.Context(), pace, n)
		r.must(err)
		half, most = append(half, percentile(a.took, 0.5)), append(most, percentile(a.took, 0.99))
		a, err = bare.paced(b.Context(), pace, n)
		r.must(err)
		bareHalf, bareMost = append(bareHalf, percentile(a.took, 0.5)), append(bareMost, percentile(a.took, 0.99))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(half)-median(bareHalf), "ms-more")
	b.ReportMetric(median(most)/median(bareMost), "p99-ratio")
	row("%-26s p50 %.2f ms, bare %.2f ms: %.2f more; p99 %.2f ms, bare %.2f ms: ratio %.2f", fmt.Sprintf("latency at %.0f a second", pace),
		median(half), median(bareHalf), median(half)-median(bareHalf), median(most), median(bareMost), median(most)/median(bareMost))
}

// BenchmarkSlowSupplier has a platform that takes 300 ms: what fills a place is waiting.
func BenchmarkSlowSupplier(b *testing.B) {
	const takes = 300 * time.Millisecond
	for _, concurrent := range []int{1024, 4096} {
		b.Run(fmt.Sprint(concurrent), func(b *testing.B) {
			r := newRig(b)
			ours, err := r.workers(r.Context(), concurrent, takes)
			r.must(err)
			bare := r.bare(concurrent)
			bare.takes = takes
			var t turns
			for range *pairs {
				n := 10 * concurrent
				t.ours, t.bare = append(t.ours, rate(n, r.do(ours.run, n))), append(t.bare, rate(n, r.do(bare.run, n)))
			}
			t.report(b, fmt.Sprintf("300 ms each, %d at a time", concurrent), "purchases/s")
			row("%-26s %7.2f              of what so many places can do at most, %.0f a second", "", median(t.ours)*takes.Seconds()/float64(concurrent),
				float64(concurrent)/takes.Seconds())
		})
	}
}

// BenchmarkTwoWorkers compares two processes of the built program with one that has as many places as both.
func BenchmarkTwoWorkers(b *testing.B) {
	built(b)
	r := newRig(b)
	url, err := r.relay(0)
	r.must(err)
	var took [3]consumed
	with := func(processes int) side {
		return func(_ context.Context, n int) (time.Duration, error) {
			var all []*os.Process
			warm := r.results(processes * orders)
			for range processes {
				all = append(all, r.startWorker(url, orders/processes))
			}
			r.add(processes * orders)
			r.must(warm())
			results, begin, before := r.results(n), time.Now(), cpuByPart(r)
			r.add(n)
			err := results()
			lasted := time.Since(begin)
			took[processes].add(n, before, cpuByPart(r))
			for _, p := range all {
				r.must(p.Signal(syscall.SIGTERM))
				r.untilEnded(p.Pid)
			}
			return lasted, err
		}
	}
	compare(b, with(2), with(1)).report(b, "two workers beside one", "purchases/s")
	row("%-26s %s", "  microseconds each", took[2])
	row("%-26s %s", "  one", took[1])
}

// BenchmarkStaysSmall has the built program make many purchases and looks at its own memory early and late; and at its peak with 4,096
// orders under way.
func BenchmarkStaysSmall(b *testing.B) {
	built(b)
	r := newRig(b)
	url, err := r.relay(0)
	r.must(err)
	process := r.startWorker(url, orders)
	var own []float64
	for range 10 {
		results := r.results(*manyOrders / 10)
		r.add(*manyOrders / 10)
		r.must(results())
		own = append(own, memory(b, process.Pid, "RssAnon"))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(own[9]/own[0], "growth")
	row("%-26s %7.1f MiB          after a tenth of %d purchases, %.1f MiB in the end, %.1f at most", "worker, its own memory", own[0], *manyOrders, own[9], slices.Max(own))
	r.must(process.Signal(syscall.SIGTERM))
	r.untilEnded(process.Pid)

	const many = 4096
	slow, err := r.relay(300 * time.Millisecond)
	r.must(err)
	process = r.startWorker(slow, many)
	results := r.results(5 * many)
	r.add(5 * many)
	r.must(results())
	peak := memory(b, process.Pid, "VmHWM")
	b.ReportMetric(peak, "MiB-at-4096")
	row("%-26s %7.1f MiB          %d orders of 300 ms at a time", "worker, peak of memory", peak, many)
}

// built skips a benchmark of the program where it is not built.
func built(b *testing.B) {
	b.Helper()
	if _, err := os.Stat(program); err != nil || runtime.GOOS != "linux" {
		b.Skip("the program is not built, or the kernel does not tell of it: make bench builds it")
	}
}
