package bus

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// TestProvisionOnlyLooksWhereAllIsWell: what is there as it should be is asked for, and nothing is made or changed.
func TestProvisionOnlyLooksWhereAllIsWell(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: workertest.NATS(t).URL})
	asked, err := b.conn.SubscribeSync("$JS.EVENT.ADVISORY.API")
	must(t, err)
	must(t, b.conn.Flush())
	must(t, b.Provision(bounded(t)))
	made(t, asked, len(b.spec())+len(worker.Lanes()))
	must(t, b.Provision(bounded(t)))
	if looks, changes := audited(t, asked); looks == 0 || len(changes) > 0 {
		t.Errorf("%d looks, changes: %v", looks, changes)
	}
	other := connect(t, Config{URL: b.config.URL, AckWait: 7 * time.Second})
	must(t, other.Provision(bounded(t)))
	if _, changes := audited(t, asked); len(changes) != len(worker.Lanes()) || !strings.Contains(changes[0], "CONSUMER.CREATE") {
		t.Errorf("another AckWait changed %v", changes)
	}
}

// made waits for the server's word on so many things made: it tells of each some time after the answer, and would tell of the
// last ones later, as if they had been made again.
func made(t *testing.T, asked *nats.Subscription, things int) {
	t.Helper()
	for things > 0 {
		msg, err := asked.NextMsgWithContext(bounded(t))
		must(t, err)
		if strings.Contains(subjectOf(msg), ".CREATE.") {
			things--
		}
	}
}

// subjectOf is what JetStream was asked on.
func subjectOf(advisory *nats.Msg) string {
	_, subject, _ := strings.Cut(string(advisory.Data), `"subject":"`)
	subject, _, _ = strings.Cut(subject, `"`)
	return subject
}

// audited counts what JetStream was asked since the last time, and gives what was more than a look.
func audited(t *testing.T, asked *nats.Subscription) (looks int, changes []string) {
	t.Helper()
	for {
		msg, err := asked.NextMsg(200 * time.Millisecond)
		if err != nil {
			return looks, changes
		}
		if subject := subjectOf(msg); strings.Contains(subject, ".INFO.") {
			looks++
		} else {
			changes = append(changes, subject)
		}
	}
}
