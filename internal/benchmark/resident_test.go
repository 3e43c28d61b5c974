package benchmark

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"autopurchase/internal/bus"
)

const (
	program = "../../bin/autopurchase"
	orders  = 64                    // at a time
	takes   = 50 * time.Millisecond // of the platform
)

// BenchmarkMemory runs the built program as a process of its own and reads its peak of resident memory from the kernel.
func BenchmarkMemory(b *testing.B) {
	if _, err := os.Stat(program); err != nil {
		b.Fatal("the program is not built: run make bench, which builds it")
	}
	r := newRig(b)
	n := orders * int(3*time.Second/takes)
	r.publish(n)
	results := r.results(n)
	process := r.startWorker(r.relay(takes))
	r.must(results())
	peak := r.peak(process)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(peak, "MiB")
	row("%-26s %7.1f MiB          %d orders of %v, %d at a time", "worker, peak of memory", peak, n, takes, orders)
}

// results counts results from now on; the function returned waits for n of them.
func (r *rig) results(n int) func() error {
	conn, err := nats.Connect(r.natsURL)
	r.must(err)
	r.Cleanup(conn.Close)
	results := make(chan *nats.Msg, n)
	_, err = conn.ChanSubscribe(bus.SubjectResults, results)
	r.must(err)
	r.must(conn.Flush())
	return func() error {
		deadline := time.After(patience)
		for i := range n {
			select {
			case <-results:
			case <-deadline:
				return fmt.Errorf("%d of %d results after %v", i, n, patience)
			}
		}
		return nil
	}
}

// startWorker starts the program; it is told to stop when the benchmark ends.
func (r *rig) startWorker(channel string) *os.Process {
	var log bytes.Buffer
	c := exec.Command(program, "worker", "--nats", r.natsURL, "--redis", r.redisURL, "--channel", channel, "--workers", strconv.Itoa(orders))
	c.Env = append(os.Environ(), "AUTOPURCHASE_CHANNEL_TOKEN="+token)
	c.Stdout, c.Stderr = &log, &log
	r.must(c.Start())
	r.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		stuck := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
		defer stuck.Stop()
		if err := c.Wait(); err != nil {
			r.Errorf("worker: %v\n%s", err, log.String())
		}
	})
	return c.Process
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// peak reads the most memory that a process ever had resident, in MiB.
func (r *rig) peak(process *os.Process) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.Pid))
	r.must(err)
	found := highWater.FindSubmatch(status)
	if found == nil {
		r.Fatal("the kernel does not say how much memory the process had")
	}
	kib, err := strconv.ParseFloat(string(found[1]), 64)
	r.must(err)
	return kib / 1024
}
