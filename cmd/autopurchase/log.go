package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"golang.org/x/term"

	"autopurchase/internal/tracing"
	"autopurchase/worker"
)

// newLog writes one JSON line per event, or readable lines where a person watches. The client of Redis, which has one log for
// the whole process, writes there too. What was left out of a flood is told at the end.
func newLog(out io.Writer, level string, undo *cleanup) zerolog.Logger {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil {
		parsed = zerolog.InfoLevel
	}
	if isTerminal(out) {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: time.TimeOnly}
	}
	calm := newFlood(out)
	undo.add("log", func(context.Context) error { calm.flush(); return nil })
	log := zerolog.New(calm).Level(parsed).With().Timestamp().Logger()
	redis.SetLogger(redisLog{log})
	return log
}

// redisLog takes what the client of Redis would write to stderr by itself. Each such failure also comes back as an error, or is
// seen by the key pool, which says so in its own words: these are for debugging.
type redisLog struct{ log zerolog.Logger }

func (l redisLog) Printf(_ context.Context, format string, values ...any) {
	l.log.Debug().Str("part", "redis").Msgf(format, values...)
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func checkLevel(text string) error {
	if _, err := zerolog.ParseLevel(text); err != nil || text == "" {
		return fmt.Errorf("must be trace, debug, info, warn or error")
	}
	return nil
}

// levels says how much attention an event of a worker deserves: a healthy day is quiet, a person's attention is warn, money
// at risk is error.
var levels = map[worker.Stage]zerolog.Level{
	worker.StageFinished:  zerolog.DebugLevel,
	worker.StageRejected:  zerolog.WarnLevel,
	worker.StagePostponed: zerolog.DebugLevel,
	worker.StageHeld:      zerolog.DebugLevel,
	worker.StageWaiting:   zerolog.DebugLevel,
	worker.StageMerged:    zerolog.DebugLevel,
	worker.StageParked:    zerolog.ErrorLevel,
	worker.StageResolved:  zerolog.InfoLevel,
	worker.StageBound:     zerolog.InfoLevel,
	worker.StageCancelled: zerolog.InfoLevel,
	worker.StageDiffers:   zerolog.ErrorLevel,
	worker.StagePaused:    zerolog.WarnLevel,
	worker.StageResumed:   zerolog.InfoLevel,
	worker.StageRetrying:  zerolog.DebugLevel,
	worker.StageProbed:    zerolog.InfoLevel,
	worker.StageFailed:    zerolog.ErrorLevel,
	worker.StagePayment:   zerolog.DebugLevel,
	worker.StageStopping:  zerolog.InfoLevel,
	worker.StageLeft:      zerolog.WarnLevel,
}

// observe logs what a worker does.
func observe(log zerolog.Logger) func(worker.Event) {
	return func(e worker.Event) {
		if levels[e.Stage] < log.GetLevel() {
			return
		}
		line := log.WithLevel(levels[e.Stage]).Str("stage", string(e.Stage))
		for _, field := range [...]struct{ name, text string }{
			{"code", string(e.Code)}, {"tenant", e.Tenant}, {"request_id", e.RequestID}, {"claim", e.Reference}, {"app_key", e.AppKey},
			{"pool", e.Pool}, {"reason", e.Reason}, {"trace_id", tracing.ID(e.Context)},
		} {
			if field.text != "" {
				line.Str(field.name, field.text)
			}
		}
		if e.Attempt > 0 {
			line.Int("attempt", e.Attempt)
		}
		if e.Took > 0 {
			line.Dur("took", e.Took)
		}
		line.Err(e.Err).Msg("request " + string(e.Stage))
	}
}
