package bus

import (
	"sync"
	"testing"
	"time"

	"autopurchase/worker"
)

func poolEvent(pool string, sequence int64, kind worker.EventKind) worker.PoolEvent {
	return worker.PoolEvent{Pool: pool, Sequence: sequence, Kind: kind, AppKey: "1000001", Limit: 1000, Used: sequence,
		At: decidedAt.Add(time.Duration(sequence) * time.Second)}
}

var kinds = []worker.EventKind{worker.EventAdded, worker.EventRotated, worker.EventSpent}

func kindOf(sequence int64) worker.EventKind { return kinds[sequence%int64(len(kinds))] }

func events(t *testing.T, b *Bus, pool string) []worker.PoolEvent {
	t.Helper()
	var all []worker.PoolEvent
	for event, err := range b.History().Events(bounded(t), pool) {
		must(t, err)
		all = append(all, event)
	}
	return all
}

// TestAJournalEntryIsStoredOnce repeats every event after a restart with a journal that knows nothing. Entries of two pools lie
// between each other, so that the look-up by halves has something to step over.
func TestAJournalEntryIsStoredOnce(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	const n = 40
	for sequence := int64(1); sequence <= n; sequence++ {
		must(t, b.Journal().Record(bounded(t), poolEvent("default", sequence, kindOf(sequence))))
		must(t, b.Journal().Record(bounded(t), poolEvent("other", sequence, kindOf(sequence))))
	}
	server.Restart()
	until(t, "the connection is back", func() bool { return b.Ready(t.Context()) == nil })
	journal := b.Journal()
	for sequence := int64(1); sequence <= n; sequence++ {
		must(t, journal.Record(bounded(t), poolEvent("default", sequence, kindOf(sequence))))
	}
	got := events(t, b, "default")
	if len(got) != n || stored(t, b, StreamKeyPool) != 2*n {
		t.Fatalf("%d entries in the pool's journal, want %d", len(got), n)
	}
	for i, event := range got {
		if event != poolEvent("default", int64(i+1), kindOf(int64(i+1))) {
			t.Errorf("entry %d is %+v", i, event)
		}
	}
}

func TestManyProcessesRecordOnePool(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	const n = 50
	var processes sync.WaitGroup
	for range 4 {
		processes.Go(func() {
			journal := b.Journal()
			for sequence := int64(1); sequence <= n; sequence++ {
				if err := journal.Record(bounded(t), poolEvent("default", sequence, kindOf(sequence))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	processes.Wait()
	got := events(t, b, "default")
	if len(got) != n {
		t.Fatalf("%d entries, want %d", len(got), n)
	}
	for i, event := range got {
		if event.Sequence != int64(i+1) {
			t.Errorf("entry %d has sequence %d", i, event.Sequence)
		}
	}
}

// TestAnotherEventUnderTheSameSequenceIsRefused: a pool that begins anew beside its old journal must not lose its events
// without a word.
func TestAnotherEventUnderTheSameSequenceIsRefused(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	for _, sequence := range []int64{1, 2, 4} { // 3 was never told
		must(t, b.Journal().Record(bounded(t), poolEvent("default", sequence, worker.EventAdded)))
	}
	for name, event := range map[string]worker.PoolEvent{
		"another under the last":  poolEvent("default", 4, worker.EventSpent),
		"another under an old":    poolEvent("default", 1, worker.EventSpent),
		"one that is not there":   poolEvent("default", 3, worker.EventAdded),
		"a pool without a name":   poolEvent("", 1, worker.EventAdded),
		"a kind with a subdomain": poolEvent("default", 5, "a.b"),
	} {
		if err := b.Journal().Record(bounded(t), event); worker.AsTrouble(err).Code != worker.CodeInternal || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := stored(t, b, StreamKeyPool); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
}

func TestRecordWhileTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	server.Stop()
	journal := b.Journal()
	if err := journal.Record(bounded(t), poolEvent("default", 1, worker.EventAdded)); worker.AsTrouble(err).Code != worker.CodeNATSDown {
		t.Errorf("recorded: %v", err)
	}
	server.Restart()
	until(t, "it is recorded", func() bool { return journal.Record(bounded(t), poolEvent("default", 1, worker.EventAdded)) == nil })
	if n := stored(t, b, StreamKeyPool); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	if got := events(t, b, "default"); got != nil {
		t.Errorf("an empty journal has %+v", got)
	}
	out := b.Outbox()
	aside := refusedWith("PR-1", worker.CodeConflict)
	aside.Aside = true
	for _, result := range []worker.Result{unknown("PR-1"), aside, placed("PR-2", "12"), resolving(placed("PR-1", "11"))} {
		must(t, out.Publish(bounded(t), result))
	}
	history := b.History()
	var got []worker.Outcome
	for result, err := range history.Results(bounded(t), "default") {
		must(t, err)
		if result.Tenant != "acme" || result.Aside != (result.Code == worker.CodeConflict) {
			t.Errorf("%+v", result)
		}
		got = append(got, result.Outcome)
	}
	want := []worker.Outcome{worker.OutcomeUnknown, worker.OutcomeRefused, worker.OutcomePlaced, worker.OutcomePlaced}
	if len(got) != 4 || got[0] != want[0] || got[1] != want[1] || got[3] != want[3] {
		t.Errorf("%v, want %v", got, want)
	}
	if n, err := history.Stored(bounded(t)); n != 4 || err != nil {
		t.Errorf("%d results are on record, %v", n, err)
	}
	for _, err := range history.Results(bounded(t), "default") {
		must(t, err)
		break // an iterator that is left early ends
	}
}

func TestHistoryStopsAtWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	_, err := b.js.Publish(bounded(t), "keypool.event.default.added", []byte("{"))
	must(t, err)
	must(t, b.Outbox().Publish(bounded(t), placed("PR-1", "11")))
	failed := 0
	for _, err := range b.History().Events(bounded(t), "default") {
		if err != nil {
			failed++
		}
	}
	for _, err := range b.History().Events(bounded(t), "no pool") {
		if err != nil {
			failed++
		}
	}
	if failed != 2 {
		t.Errorf("%d errors, want 2", failed)
	}
}
