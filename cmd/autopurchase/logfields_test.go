package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fieldRow   = regexp.MustCompile("(?m)^\\| ((?:`[a-z_]+`(?:, )?)+) \\|")
	fieldName  = regexp.MustCompile("`([a-z_]+)`")
	fieldInUse = regexp.MustCompile(`\.(?:Str|Strs|Int|Int64|Uint64|Float64|Dur|Time|Bool|Bytes|AnErr|Interface|Any)\("([a-z_0-9]+)"`)
	fieldAside = regexp.MustCompile(`\.Log\("[^"]*", "([a-z_]+)"`) // of the dashboard, which has names and texts in turn
	fieldOfOne = regexp.MustCompile(`\{"([a-z_]+)", `)             // in observe's list
)

// logFields are the fields that docs/logs.md knows.
func logFields(t *testing.T) map[string]bool {
	t.Helper()
	page, err := os.ReadFile("../../docs/logs.md")
	must(t, err)
	known := map[string]bool{}
	_, table, _ := strings.Cut(string(page), "## Fields")
	for _, row := range fieldRow.FindAllStringSubmatch(table, -1) {
		for _, name := range fieldName.FindAllStringSubmatch(row[1], -1) {
			known[name[1]] = true
		}
	}
	return known
}

// knownFields checks that lines of a log have no field but those that are documented.
func knownFields(t *testing.T, log string) {
	t.Helper()
	known := logFields(t)
	for _, line := range logged(t, log) {
		for name := range line {
			if !known[name] {
				t.Errorf("field %s is not in docs/logs.md: %v", name, line)
			}
		}
	}
}

// TestEveryFieldOfTheLogIsKnown compares the code with the page, both ways.
func TestEveryFieldOfTheLogIsKnown(t *testing.T) {
	t.Parallel()
	known, used := logFields(t), map[string]bool{"time": true, "level": true, "message": true, "error": true, "left_out": true}
	for _, folder := range []string{".", "../../internal"} {
		must(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			others := strings.Contains(path, "internal/chaos") || strings.Contains(path, "internal/benchmark") || strings.Contains(path, "internal/tracing")
			if err != nil || others || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			code, err := os.ReadFile(path)
			for _, name := range fieldInUse.FindAllStringSubmatch(string(code), -1) {
				used[name[1]] = true
			}
			for _, name := range fieldAside.FindAllStringSubmatch(string(code), -1) {
				used[name[1]] = true
			}
			if path == "log.go" {
				for _, name := range fieldOfOne.FindAllStringSubmatch(string(code), -1) {
					used[name[1]] = true
				}
			}
			return err
		}))
	}
	for name := range used {
		if !known[name] {
			t.Errorf("field %s is not in docs/logs.md", name)
		}
	}
	for name := range known {
		if !used[name] {
			t.Errorf("field %s of docs/logs.md is nowhere in the code", name)
		}
	}
}
