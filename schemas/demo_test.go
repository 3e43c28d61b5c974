package schemas_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"autopurchase/internal/workertest"
)

// demo runs everything, with a simulated 1688, as a process of its own, and gives the URL of its NATS once it is up.
func demo() (url string, stop func()) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	dir, err := os.MkdirTemp("", "autopurchase-example-")
	fatal(err)
	binary := filepath.Join(dir, "autopurchase")
	fatal(workertest.Build(ctx, binary))
	data := filepath.Join(dir, "data")
	cmd := exec.CommandContext(ctx, binary, "demo", "--keep", "--requests", "1", "--redis", "in-process", "--data", data)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	fatal(cmd.Start())
	stop = func() {
		cancel()
		_ = cmd.Wait() // it says nothing that the example does not
		_ = os.RemoveAll(dir)
	}
	var where struct{ NATS string }
	for tick := time.Tick(20 * time.Millisecond); where.NATS == ""; {
		select {
		case <-tick:
			body, err := os.ReadFile(filepath.Join(data, "addresses.json"))
			if err == nil {
				_ = json.Unmarshal(body, &where) // it may be half written
			}
		case <-ctx.Done():
			stop()
			panic("the demo does not come up")
		}
	}
	return where.NATS, stop
}

func fatal(err error) {
	if err != nil {
		panic(err)
	}
}
