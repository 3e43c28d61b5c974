package schemas

import (
	"errors"
	"strings"

	"autopurchase/worker"
)

// DecodePoolEvent reads an entry of a pool's journal. Errors are *worker.Invalid. It is safe for concurrent use and keeps
// nothing of body.
func DecodePoolEvent(body []byte) (worker.PoolEvent, error) {
	var event worker.PoolEvent
	if invalid := decode(body, eventTable, &event); invalid != nil {
		return worker.PoolEvent{}, invalid
	}
	return event, nil
}

// eventTable takes an administrator's words as they are: a journal with an entry that cannot be read could not go on.
var eventTable = table[worker.PoolEvent]{
	{"pool", required, func(r *reader, e *worker.PoolEvent) fault { return r.matching(&e.Pool, worker.CheckName) }},
	{"sequence", required, func(r *reader, e *worker.PoolEvent) fault { return whole(r, &e.Sequence, 1, maxSafe) }},
	{"kind", required, func(r *reader, e *worker.PoolEvent) fault { return oneOf(r, &e.Kind, eventKinds) }},
	{"app_key", optional, func(r *reader, e *worker.PoolEvent) fault { return r.visible(&e.AppKey, maxAppKey) }},
	{"limit", optional, func(r *reader, e *worker.PoolEvent) fault { return whole(r, &e.Limit, 0, maxSafe) }},
	{"used", required, func(r *reader, e *worker.PoolEvent) fault { return whole(r, &e.Used, 0, maxSafe) }},
	{"held", required, func(r *reader, e *worker.PoolEvent) fault { return whole(r, &e.Held, 0, maxSafe) }},
	{"left", required, func(r *reader, e *worker.PoolEvent) fault { return whole(r, &e.Left, 0, maxSafe) }},
	{"account", optional, func(r *reader, e *worker.PoolEvent) fault { return r.free(&e.Account) }},
	{"alipay", optional, func(r *reader, e *worker.PoolEvent) fault { return oneOf(r, &e.Alipay, alipayWords) }},
	{"source", optional, func(r *reader, e *worker.PoolEvent) fault { return oneOf(r, &e.Source, sourceWords) }},
	{"state", optional, func(r *reader, e *worker.PoolEvent) fault { return oneOf(r, &e.State, stateWords) }},
	{"version", optional, func(r *reader, e *worker.PoolEvent) fault { return whole(r, &e.Version, 0, maxSafe) }},
	{"cleared", optional, func(r *reader, e *worker.PoolEvent) fault { return whole(r, &e.Cleared, 0, maxSafe) }},
	{"sealed", optional, func(r *reader, e *worker.PoolEvent) fault { return r.free(&e.Sealed) }},
	{"fingerprint", optional, func(r *reader, e *worker.PoolEvent) fault { return r.free(&e.Print) }},
	{"ends_ms", optional, func(r *reader, e *worker.PoolEvent) fault { return whole(r, &e.Ends, 0, maxSafe) }},
	{"step", optional, func(r *reader, e *worker.PoolEvent) fault { return r.free(&e.Step) }},
	{"verdict", optional, func(r *reader, e *worker.PoolEvent) fault { return oneOf(r, &e.Verdict, verdictWords) }},
	{"change", optional, func(r *reader, e *worker.PoolEvent) fault { return r.free(&e.Change) }},
	{"count", optional, func(r *reader, e *worker.PoolEvent) fault { return oneOf(r, &e.Count, countWords) }},
	{"width", optional, func(r *reader, e *worker.PoolEvent) fault { return whole(r, &e.Width, 0, maxSafe) }},
	{"low", optional, func(r *reader, e *worker.PoolEvent) fault { return whole(r, &e.Low, 0, maxSafe) }},
	{"strategy", optional, func(r *reader, e *worker.PoolEvent) fault { return oneOf(r, &e.Strategy, strategyWords) }},
	{"recipients", optional, func(r *reader, e *worker.PoolEvent) fault { return r.free(&e.For) }},
	{"tenants", optional, func(r *reader, e *worker.PoolEvent) fault { return r.free(&e.Tenants) }},
	{"preview", optional, func(r *reader, e *worker.PoolEvent) fault { return r.matching(&e.Preview, checkPoolPreview) }},
	{"seller", optional, func(r *reader, e *worker.PoolEvent) fault { return r.free(&e.Seller) }},
	{"by", optional, func(r *reader, e *worker.PoolEvent) fault { return r.free(&e.By) }},
	{"why", optional, func(r *reader, e *worker.PoolEvent) fault { return r.free(&e.Why) }},
	{"at", required, func(r *reader, e *worker.PoolEvent) fault { return r.moment(&e.At) }},
}

// checkPoolPreview takes never, always, or above and a sum in yuan.
func checkPoolPreview(text string) error {
	sum, above := strings.CutPrefix(text, "above ")
	if above {
		_, err := worker.ParseYuan(sum)
		return err
	}
	if text != "never" && text != "always" {
		return errors.New("must be never, always, or above and a sum in yuan")
	}
	return nil
}

var (
	alipayWords   = []string{"none", "personal", "business"}
	countWords    = []string{"lines", "units"}
	strategyWords = []string{"first", "even"}
	sourceWords   = []string{"own", "managed"}
	verdictWords  = []string{"passed", "waived", "open"}
	stateWords    = []string{"onboarding", "ready", "active", "spent", "benched", "stopped", "disabled", "retired", "removed"}
	eventKinds    = []worker.EventKind{
		worker.EventPool, worker.EventAdded, worker.EventJoined, worker.EventChanged, worker.EventRotated, worker.EventSpent, worker.EventLow,
		worker.EventExhausted, worker.EventBenched, worker.EventStopped, worker.EventRestored, worker.EventDisabled, worker.EventEnabled,
		worker.EventRetired, worker.EventRemoved, worker.EventReset, worker.EventSecret, worker.EventTokens,
		worker.EventEnding, worker.EventOnboarded, worker.EventSeller, worker.EventRebuilt,
	}
)
