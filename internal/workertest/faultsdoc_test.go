package workertest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestEveryFaultNamesTestsThatExist reads the table of docs/faults.md: its lines are numbered, and each names tests of ours.
func TestEveryFaultNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]string{"worker": "worker", "cmd": "cmd/autopurchase"}
	named := regexp.MustCompile("`([a-z0-9]+)\\.(Test\\w+)`")
	lines := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 2 {
			continue
		}
		number, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue
		}
		lines++
		tests := named.FindAllStringSubmatch(line, -1)
		if number != lines || len(tests) == 0 {
			t.Errorf("line %d has the number %d and %d tests", lines, number, len(tests))
		}
		for _, test := range tests {
			folder, ok := folders[test[1]]
			if !ok {
				folder = filepath.Join("internal", test[1])
			}
			if !hasTest(t, filepath.Join(root, folder), test[2]) {
				t.Errorf("line %d: there is no %s", lines, test[0])
			}
		}
	}
	if lines < 18 {
		t.Errorf("only %d faults", lines)
	}
}

// hasTest says whether a package has a test of that name.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), fmt.Sprintf("\nfunc %s(t *testing.T)", name)) {
			return true
		}
	}
	return false
}
