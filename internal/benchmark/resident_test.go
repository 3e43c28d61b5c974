package benchmark

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
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

// BenchmarkMemory runs the built program as a process of its own and reads its peak of resident memory from the kernel. Most of it
// are pages of the program's file: the kernel maps those around each that is touched, and counts them for every process that does.
func BenchmarkMemory(b *testing.B) {
	if _, err := os.Stat(program); err != nil {
		b.Fatal("the program is not built: run make bench, which builds it")
	}
	r := newRig(b)
	n := orders * int(3*time.Second/takes)
	r.put(n)
	results := r.results(n)
	url, err := r.relay(takes)
	r.must(err)
	process := r.startWorker(url, orders)
	r.must(results())
	peak, own, file := memory(b, process.Pid, "VmHWM"), memory(b, process.Pid, "RssAnon"), memory(b, process.Pid, "RssFile")
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(peak, "MiB")
	b.ReportMetric(own, "own-MiB")
	row("%-26s %7.1f MiB          %d orders of %v, %d at a time", "worker, peak of memory", peak, n, takes, orders)
	row("%-26s %7.1f MiB          and %.1f MiB of the program's file, which processes share", "  its own at the end", own, file)
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
		defer conn.Close() // what comes later would find nobody who takes it
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
func (r *rig) startWorker(channel string, concurrent int) *os.Process {
	var log bytes.Buffer
	c := exec.Command(program, "worker", "--nats", r.natsURL, "--redis", r.redisURL, "--channel", channel, "--workers", strconv.Itoa(concurrent))
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

// untilEnded waits for the end of a process of which nobody has been told yet: the kernel keeps it as a zombie.
func (r *rig) untilEnded(pid int) {
	r.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for began := time.Now(); time.Since(began) < patience; <-again.C {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil || strings.Contains(string(status), "\nState:\tZ") {
			return
		}
	}
	r.Fatal("the program does not end")
}

// memory reads how much memory of a kind a process has or had, in MiB.
func memory(b *testing.B, pid int, kind string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + kind + `:\s+(\d+) kB$`).FindSubmatch(status)
	if found == nil {
		b.Fatalf("the kernel does not say %s", kind)
	}
	kib, _ := strconv.ParseFloat(string(found[1]), 64) // digits
	return kib / 1024
}
