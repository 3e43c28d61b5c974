package keypool

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/workertest"
)

// told are the lines of a log that have so many results.
func told(t *testing.T, log string) (said [][3]any) {
	t.Helper()
	for line := range strings.Lines(log) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l["results"] != nil {
			said = append(said, [3]any{l["results"], l["of"], l["left_ms"]})
		}
	}
	return said
}

// TestProgressIsToldEveryFewSeconds: a thousand results take 500 ms. The last of them came while the others were read.
func TestProgressIsToldEveryFewSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		p := newProgress(zerolog.New(&log), 9*lookEvery)
		for range 10 {
			<-time.After(500 * time.Millisecond)
			for range lookEvery {
				p.step()
			}
		}
		said := told(t, log.String())
		if len(said) != 2 || said[0] != [3]any{4.0 * lookEvery, 9.0 * lookEvery, 2500.0} || said[1] != [3]any{8.0 * lookEvery, 9.0 * lookEvery, 500.0} {
			t.Fatalf("told %v", said)
		}
		p.done = 10 * lookEvery
		if p.tell(); told(t, log.String())[2] != [3]any{10.0 * lookEvery, 10.0 * lookEvery, 0.0} {
			t.Fatalf("told %v", log.String())
		}
	})
}

// TestARebuildSaysWhatItRead names the pool, once.
func TestARebuildSaysWhatItRead(t *testing.T) {
	server := workertest.Redis(t)
	history := lived(t, open(t, server.URL))
	var log lines
	p := open(t, server.URL, func(c *Config) { c.Log = zerolog.New(&log) })
	raw(t, p).FlushAll(t.Context())
	rebuild(t, p, history)
	said := told(t, log.String())
	if len(said) != 1 || said[0][0] != float64(len(history.results)) {
		t.Fatalf("told %v, want %d results", said, len(history.results))
	}
	for line := range strings.Lines(log.String()) {
		if strings.Count(line, `"pool":"default"`) != 1 {
			t.Errorf("the pool is not named once: %s", line)
		}
	}
}
