package main

import (
	"strings"
	"testing"
)

// TestAHealthyDayIsQuiet buys five hundred times at the level info: what it says does not grow with what is bought.
func TestAHealthyDayIsQuiet(t *testing.T) {
	t.Parallel()
	code, _, errs := execute(t, nil, "demo", "--json", "--requests", "500", "--redis", "server", "--log", "info")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var log strings.Builder
	for line := range strings.Lines(errs) {
		if strings.HasPrefix(line, "{") { // and not progress
			log.WriteString(line)
		}
	}
	said := logged(t, log.String())
	if len(said) > 10 {
		t.Errorf("%d lines:\n%s", len(said), log.String())
	}
	for _, line := range said {
		if line["level"] != "info" {
			t.Errorf("%v", line)
		}
	}
	knownFields(t, log.String())
}
