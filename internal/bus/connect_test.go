package bus

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// oneLine says whether an error is one line that has the parts.
func oneLine(err error, parts ...string) bool {
	if err == nil || strings.Contains(err.Error(), "\n") {
		return false
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			return false
		}
	}
	return true
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	nobody := "nats://user:hunter2@" + listener.Addr().String()
	must(t, listener.Close())
	_, err = Connect(bounded(t), Config{URL: nobody})
	if !oneLine(err, "cannot reach NATS at nats://xxxxx@127.0.0.1", "is it running") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("nobody there: %v", err)
	}
	plain := workertest.NATS(t, func(o *server.Options) { o.JetStream = false })
	if _, err := Connect(bounded(t), Config{URL: plain.URL}); !oneLine(err, "has no JetStream", "-js") {
		t.Errorf("without JetStream: %v", err)
	}
	if _, err := Connect(bounded(t), Config{AckWait: -1, Replicas: 9, Retention: Retention{Requests: 100 * day, Results: day}}); err == nil ||
		strings.Count(err.Error(), "must") != 3 || !strings.Contains(err.Error(), "replicas 9") {
		t.Errorf("wrong settings: %v", err)
	}
}

func TestProvisionIsIdempotent(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{AckWait: 7 * time.Second})
	submit(t, b, "PR-1")
	must(t, b.Provision(bounded(t)))
	stream, err := b.js.Stream(bounded(t), StreamRequests)
	must(t, err)
	c := stream.CachedInfo().Config
	if c.MaxMsgsPerSubject != 1 || c.Discard != jetstream.DiscardNew || !c.DiscardNewPerSubject || c.Retention != jetstream.LimitsPolicy ||
		c.Storage != jetstream.FileStorage || c.MaxAge != 30*day || stream.CachedInfo().State.Msgs != 1 {
		t.Errorf("%+v", c)
	}
	if info := consumerInfo(t, b); info.Config.AckWait != 7*time.Second || info.Config.MaxDeliver != -1 || len(info.Config.BackOff) != 0 {
		t.Errorf("%+v", info.Config)
	}
	other := connect(t, Config{URL: server.URL, AckWait: 9 * time.Second, Retention: Retention{Requests: 60 * day}})
	must(t, other.Provision(bounded(t)))
	if info := consumerInfo(t, b); info.Config.AckWait != 9*time.Second {
		t.Errorf("%+v", info.Config)
	}
	joins := connect(t, Config{URL: server.URL})
	if err := joins.Provision(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if info := consumerInfo(t, b); info.Config.AckWait != 9*time.Second {
		t.Errorf("AckWait became %v although nothing was said", info.Config.AckWait)
	}
}

// TestProvisionKeepsWhatIsTheOperators: a limit that somebody set by hand stays.
func TestProvisionKeepsWhatIsTheOperators(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	_, err := b.js.CreateStream(bounded(t), jetstream.StreamConfig{Name: StreamResults, Subjects: []string{"purchase.result.*.*"}, MaxBytes: 1 << 20})
	must(t, err)
	must(t, b.Provision(bounded(t)))
	stream, err := b.js.Stream(bounded(t), StreamResults)
	must(t, err)
	if c := stream.CachedInfo().Config; c.MaxBytes != 1<<20 || !c.AllowDirect || c.Subjects[0] != SubjectResults {
		t.Errorf("%+v", c)
	}
}

func TestProvisionRefusesWhatCannotBeChanged(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	_, err := b.js.CreateStream(bounded(t), jetstream.StreamConfig{Name: StreamRequests, Subjects: allLanes(), Retention: jetstream.WorkQueuePolicy})
	must(t, err)
	if err := b.Provision(bounded(t)); !oneLine(err, StreamRequests, "WorkQueue", "cannot be changed") {
		t.Errorf("%v", err)
	}
	must(t, b.js.DeleteStream(bounded(t), StreamRequests))
	_, err = b.js.CreateStream(bounded(t), jetstream.StreamConfig{Name: "ORDERS", Subjects: []string{"purchase.>"}})
	must(t, err)
	if err := b.Provision(bounded(t)); !oneLine(err, StreamRequests, "overlap") {
		t.Errorf("%v", err)
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	if d, err := b.Depth(bounded(t)); err != nil || d.Waiting+uint64(d.InFlight) != 0 || !d.Oldest.IsZero() {
		t.Errorf("%+v, %v", d, err)
	}
	in := openInbox(t, b)
	submit(t, b, "PR-1", "PR-2", "PR-3")
	must(t, next(t, in).Receipt.Ack(bounded(t)))
	must(t, next(t, in).Receipt.Nak(bounded(t), 0))
	held := next(t, in)
	if d, err := b.Depth(bounded(t)); err != nil || d.Waiting != 1 || d.InFlight != 1 || d.Redelivered != 1 || !d.Oldest.Equal(held.Published) {
		t.Errorf("%+v, %v, want the oldest of %v", d, err, held.Published)
	}
}

func TestSubjectsAreParsed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		subject, tenant, ref string
		aside                bool
	}{
		{"purchase.result.acme.PR=2E1", "acme", "PR=2E1", false},
		{"purchase.result.acme.PR-1.conflict", "acme", "PR-1", true},
		{"purchase.result.acme", "acme", "", false},
		{"purchase.result.acme.a.b.c", "acme", "", false},
	} {
		if tenant, ref, aside := parseResult(c.subject); tenant != c.tenant || ref != c.ref || aside != c.aside {
			t.Errorf("%s: %s %s %v", c.subject, tenant, ref, aside)
		}
	}
	if got := deadSubject(""); got != "purchase.dead._" {
		t.Error(got)
	}
	if got := asideSubject("acme", "PR-1", worker.CodeConflict); got != "purchase.result.acme.PR-1.conflict" {
		t.Error(got)
	}
	if got := redacted("nats://u:p@a:1, nats://token@b:2,c:3"); strings.Contains(got, "p@") || strings.Contains(got, "token") {
		t.Error(got)
	}
}

func TestReadyFollowsTheConnection(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	must(t, b.Ready(t.Context()))
	server.Stop()
	until(t, "it is not ready", func() bool { return b.Ready(t.Context()) != nil })
	server.Restart()
	until(t, "it is ready again", func() bool { return b.Ready(t.Context()) == nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, b.Provision(bounded(t)))
	if err := b.Provision(ctx); err == nil {
		t.Error("provisioned with an ended context")
	}
}
