package bus

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// TestProvisionOnlyLooksWhereAllIsWell: what is there as it should be is asked for, and nothing is made or changed.
func TestProvisionOnlyLooksWhereAllIsWell(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	asked, err := b.conn.SubscribeSync("$JS.EVENT.ADVISORY.API")
	must(t, err)
	must(t, b.conn.Flush())
	must(t, b.Provision(bounded(t)))
	if looks, changes := audited(t, asked); looks == 0 || len(changes) > 0 {
		t.Errorf("%d looks, changes: %v", looks, changes)
	}
	other := connect(t, Config{URL: b.config.URL, AckWait: 7 * time.Second})
	must(t, other.Provision(bounded(t)))
	if _, changes := audited(t, asked); len(changes) != 1 || !strings.Contains(changes[0], "CONSUMER.CREATE") {
		t.Errorf("another AckWait changed %v", changes)
	}
}

// audited counts what JetStream was asked since the last time, and gives what was more than a look.
func audited(t *testing.T, asked *nats.Subscription) (looks int, changes []string) {
	t.Helper()
	for {
		msg, err := asked.NextMsg(200 * time.Millisecond)
		if err != nil {
			return looks, changes
		}
		_, subject, _ := strings.Cut(string(msg.Data), `"subject":"`)
		subject, _, _ = strings.Cut(subject, `"`)
		if strings.Contains(subject, ".INFO.") {
			looks++
		} else {
			changes = append(changes, subject)
		}
	}
}
