package bus

import (
	"testing"
	"time"
)

// TestADeliveryIsSoleUntilItMayBeMadeAgain: long before AckWait is over, whatever signs of life were sent.
func TestADeliveryIsSoleUntilItMayBeMadeAgain(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{AckWait: 2 * time.Second})
	in := openInbox(t, b)
	submit(t, b, "a", "b")
	began := time.Now()
	first, second := next(t, in), next(t, in)
	if !first.Sole() || !second.Sole() {
		t.Error("what was just delivered may be in other hands")
	}
	until(t, "that it may be delivered again", func() bool { return !first.Sole() && !second.Sole() })
	if took := time.Since(began); took < time.Second || took > 2*time.Second {
		t.Errorf("it was sole for %v, want half of AckWait", took)
	}
}

// TestADeliveryThatWasLongAskedForIsNotSole: it may have been on its way since then.
func TestADeliveryThatWasLongAskedForIsNotSole(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{AckWait: 200 * time.Millisecond})
	in := openInbox(t, b)
	ids := make(chan string)
	go func() {
		until(t, "a pull that is old", func() bool {
			in.mutex.Lock()
			defer in.mutex.Unlock()
			return in.lanes[1].asked == 1 && time.Since(in.lanes[1].sent) > 100*time.Millisecond
		})
		ids <- "late"
	}()
	go func() { submit(t, b, <-ids) }()
	if next(t, in).Sole() {
		t.Error("it is sole")
	}
	submit(t, b, "soon")
	if !next(t, in).Sole() {
		t.Error("one that was pulled just now is not")
	}
}

// TestABrokerThatWasStartedAgainLeavesNothingSole: neither what was delivered before nor what was stored before, which it may have
// delivered and forgotten.
func TestABrokerThatWasStartedAgainLeavesNothingSole(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{AckWait: time.Minute})
	in := openInbox(t, b)
	submit(t, b, "before", "between")
	before := next(t, in)
	server.Stop()
	until(t, "that the broker is missed", func() bool { return !before.Sole() })
	server.Restart()
	between := next(t, in)
	submit(t, b, "after")
	after := next(t, in)
	if before.Sole() || between.Sole() || !after.Sole() {
		t.Errorf("delivered before the restart: %v, stored before it: %v, after it: %v", before.Sole(), between.Sole(), after.Sole())
	}
}
