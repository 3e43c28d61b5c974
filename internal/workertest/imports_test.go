package workertest_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestArrowsPointInwards asserts the star: the domain uses the standard library only, adapters use the domain and the
// contract and never each other, and only the command sees all.
func TestArrowsPointInwards(t *testing.T) {
	allowed := map[string][]string{
		"worker":              {},
		"schemas":             {"worker"},
		"internal/bus":        {"worker", "schemas"},
		"internal/keypool":    {"worker"},
		"internal/channel":    {"worker"},
		"internal/alibaba":    {"worker"},
		"internal/hook":       {"worker"},
		"internal/index":      {"worker"},
		"internal/metrics":    {"worker"},
		"internal/tracing":    {"worker"},
		"internal/dashboard":  {"worker"},
		"internal/sim1688":    {},
		"internal/relay":      {"worker", "internal/alibaba", "internal/channel", "internal/seal"},
		"internal/seal":       {},
		"internal/collector":  {},
		"internal/workertest": {"internal/address"},
		"internal/address":    {},
		"internal/benchmark":  nil, // measures the whole
		"internal/chaos":      {"worker", "schemas", "internal/bus", "internal/address", "internal/sim1688"},
		"cmd/chaos":           {"internal/chaos"},
		"cmd/autopurchase":    nil, // wires the whole
	}
	for _, p := range packages(t) {
		may, known := allowed[p.path()]
		if !known {
			t.Errorf("%s: is it an adapter? say here what it may import", p.path())
		}
		if may == nil {
			continue
		}
		for _, imported := range p.Imports {
			mine, isMine := strings.CutPrefix(imported, "autopurchase/")
			switch {
			case isMine && !slices.Contains(may, mine):
				t.Errorf("%s imports %s", p.path(), mine)
			case p.path() == "worker" && strings.Contains(imported, "."):
				t.Errorf("the domain imports %s", imported)
			}
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func (l listed) path() string { return strings.TrimPrefix(l.ImportPath, "autopurchase/") }

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "autopurchase/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
