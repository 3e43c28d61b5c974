package benchmark

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkCPU compares how many purchases a second of the processors' time makes, that of all processes together, and says what each of
// them takes for a purchase.
func BenchmarkCPU(b *testing.B) {
	for _, concurrent := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(concurrent), func(b *testing.B) {
			r := newRig(b)
			ours, bare := r.ours(concurrent), r.bare(concurrent)
			var oursTook, bareTook consumed
			t := compare(b, r.byCPU(ours.work, &oursTook), r.byCPU(func(ctx context.Context, n int) (time.Duration, error) {
				return bare.work(ctx, n, func(string) {})
			}, &bareTook))
			t.report(b, fmt.Sprintf("per CPU second, %d", concurrent), "purchases/cpu-s")
			row("%-26s %s", "  microseconds each", oursTook)
			row("%-26s %s", "  bare", bareTook)
		})
	}
}

// consumed is the processors' time of processes, user's and system's, and for how many purchases.
type consumed struct {
	purchases int
	by        map[string][2]time.Duration
}

// String is what each process took for a purchase.
func (c consumed) String() string {
	var text []string
	for _, part := range []string{"self", "autopurchase", NATS, "redis-server", relayPart, peerPart} {
		each := func(i int) float64 { return float64(c.by[part][i].Microseconds()) / float64(max(1, c.purchases)) }
		if each(0)+each(1) > 1 {
			text = append(text, fmt.Sprintf("%s %.0f+%.0f", part, each(0), each(1)))
		}
	}
	return strings.Join(text, ", ")
}

func (c *consumed) add(n int, before, after map[string][2]time.Duration) (sum time.Duration) {
	if c.by == nil {
		c.by = map[string][2]time.Duration{}
	}
	c.purchases += n
	for part, now := range after {
		all := c.by[part]
		for i := range now {
			took := now[i] - before[part][i]
			all[i], sum = all[i]+took, sum+took
		}
		c.by[part] = all
	}
	return sum
}

// byCPU is a side by the processors' time that it takes, without that of publishing what it works on; took is given what it was.
func (r *rig) byCPU(work side, took *consumed) side {
	return func(ctx context.Context, n int) (time.Duration, error) {
		if err := r.publish(ctx, n); err != nil {
			return 0, err
		}
		before := cpuByPart(r)
		_, err := work(ctx, n)
		return took.add(n, before, cpuByPart(r)), err
	}
}

// cpuByPart is the processors' time, user's and system's, that this process and those that it started have had, by what they are.
func cpuByPart(t testing.TB) map[string][2]time.Duration {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("the kernel does not say")
	}
	own, all := strconv.Itoa(os.Getpid()), map[string][2]time.Duration{}
	for _, e := range entries {
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		head, rest, found := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if err != nil || !found || len(fields) < 13 || e.Name() != own && fields[1] != own {
			continue
		}
		_, name, _ := strings.Cut(head, "(")
		name = partOf(e.Name(), name, own)
		took := all[name]
		for i := range took {
			ticks, _ := strconv.ParseInt(fields[11+i], 10, 64) // digits
			took[i] += time.Duration(ticks) * 10 * time.Millisecond
		}
		all[name] = took
	}
	return all
}

// partOf says what a process is: the part that Start made it, or else its program's name.
func partOf(pid, program, own string) string {
	if pid == own {
		return "self"
	}
	environment, _ := os.ReadFile("/proc/" + pid + "/environ") // of one that has just ended there is none
	for _, variable := range strings.Split(string(environment), "\x00") {
		if part, found := strings.CutPrefix(variable, partVar+"="); found {
			return part
		}
	}
	return program
}

// TestCPUIsCountedByPart: what this process and its parts work shows under their names.
func TestCPUIsCountedByPart(t *testing.T) {
	r := newRig(t)
	var took consumed
	sum := r.do(r.byCPU(r.ours(16).work, &took), 2000)
	if sum <= 0 || took.by["self"][0] <= 0 || took.purchases != 2000 {
		t.Errorf("%v of %+v", sum, took)
	}
	for _, part := range []string{NATS, "redis-server", relayPart} {
		if _, found := took.by[part]; !found {
			t.Errorf("%s is not among %v", part, took.by)
		}
	}
}
