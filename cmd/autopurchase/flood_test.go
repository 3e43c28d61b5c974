package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// logged reads the lines of a log.
func logged(t *testing.T, log string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(log) {
		var said map[string]any
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, said)
	}
	return all
}

// later lets time pass.
func later(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// TestAFloodIsCounted has an error come a hundred times a second for 25 s, and others beside it.
func TestAFloodIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		f := newFlood(&out)
		log := zerolog.New(f)
		for i := range 2500 {
			log.Error().Str("code", "redis_down").Str("request_id", fmt.Sprint(i)).Err(errors.New("}\n{")).Msg("request failed")
			later(10 * time.Millisecond)
		}
		log.Error().Str("code", "nats_down").Msg("request failed")
		for range 50 {
			log.Info().Msg("all is well")
		}
		later(time.Minute)
		log.Error().Str("code", "redis_down").Msg("request failed")
		f.flush()
		counted, said := 0, map[string]int{}
		for _, line := range logged(t, out.String()) {
			left, _ := line["left_out"].(float64)
			code, _ := line["code"].(string)
			counted += int(left)
			said[code]++
		}
		if said["redis_down"] != floodFirst+3+1 || said["nats_down"] != 1 || said[""] != 50 {
			t.Errorf("lines by code: %v", said)
		}
		if counted+said["redis_down"] != 2501 {
			t.Errorf("%d were left out of 2501, and %d written", counted, said["redis_down"])
		}
	})
}

// TestWhatWasLeftOutIsToldAtTheEnd stops in the middle of a flood.
func TestWhatWasLeftOutIsToldAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		f := newFlood(&out)
		log := zerolog.New(f)
		for i := range 30 {
			log.Warn().Int("attempt", i).Msg("again")
		}
		f.flush()
		all := logged(t, out.String())
		last := all[len(all)-1]
		if len(all) != floodFirst+1 || last["left_out"] != 19.0 || last["attempt"] != 29.0 {
			t.Errorf("%d lines, the last is %v", len(all), last)
		}
		f.flush()
		if len(logged(t, out.String())) != len(all) {
			t.Error("it is told twice")
		}
		later(time.Minute)
	})
}

// TestManyKindsAreAllTold has more kinds of complaints than are told apart.
func TestManyKindsAreAllTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		f := newFlood(&out)
		log := zerolog.New(f)
		for i := range 2 * floodKinds {
			log.Warn().Msg(fmt.Sprint("complaint ", i))
		}
		kinds := func() int {
			f.mutex.Lock()
			defer f.mutex.Unlock()
			return len(f.kinds)
		}
		if got := len(logged(t, out.String())); got != 2*floodKinds || kinds() != floodKinds {
			t.Errorf("%d lines, %d kinds", got, kinds())
		}
		later(time.Minute)
		if left := kinds(); left != 0 {
			t.Errorf("%d kinds are never forgotten", left)
		}
	})
}
