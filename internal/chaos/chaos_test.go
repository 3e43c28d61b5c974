package chaos

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"autopurchase/internal/workertest"
)

func TestMain(m *testing.M) {
	ServeIfAsked() // the test is its own NATS
	goleak.VerifyTestMain(m)
}

// progress writes to the test's log.
type progress struct{ t *testing.T }

func (p progress) Write(text []byte) (int, error) {
	p.t.Log(strings.TrimSuffix(string(text), "\n"))
	return len(text), nil
}

// TestEveryPromiseHoldsUnderFaults runs the whole system with one fault of most kinds; make chaos runs it at length.
func TestEveryPromiseHoldsUnderFaults(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "autopurchase")
	if err := workertest.Build(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), Config{Binary: binary, Dir: t.TempDir(), Orders: 500, Faults: 34, Seed: 1688, Workers: 3,
		Timeout: 5 * time.Minute, Progress: progress{t}})
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", line)
	if !report.Right() || report.Orders != 500 || report.Faults != 34 {
		t.Errorf("a promise was broken: %s", line)
	}
}

func TestConfigSaysEverythingThatIsWrong(t *testing.T) {
	_, err := Run(t.Context(), Config{Orders: 19, Faults: -1, Workers: -1, Kinds: []Kind{"worker_nap"}})
	if err == nil {
		t.Fatal("it ran")
	}
	for _, want := range []string{"binary", "dir", "orders 19", "faults -1", "workers", `"worker_nap"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
}
