package bus

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

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
	_, err := b.js.CreateStream(bounded(t), jetstream.StreamConfig{Name: StreamRequests, Subjects: []string{SubjectRequests}, Retention: jetstream.WorkQueuePolicy})
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
	if d, err := b.Depth(bounded(t)); err != nil || d != (Depth{}) {
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

func embed(t *testing.T, config EmbedConfig) *Embedded {
	t.Helper()
	config.Log = zerolog.Nop()
	e, err := Embed(config)
	must(t, err)
	t.Cleanup(e.Shutdown)
	return e
}

// TestTwoEmbeddedServers run in one process, each with its own messages, which outlive a restart.
func TestTwoEmbeddedServers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := embed(t, EmbedConfig{StoreDir: dir, SyncAlways: true}), embed(t, EmbedConfig{StoreDir: t.TempDir()})
	a, b := connect(t, Config{URL: one.ClientURL()}), connect(t, Config{Server: two.InProcess()})
	must(t, a.Provision(bounded(t)))
	must(t, b.Provision(bounded(t)))
	submit(t, a, "PR-1")
	if n := stored(t, b, StreamRequests); n != 0 {
		t.Errorf("the other server has %d messages", n)
	}
	must(t, a.Close())
	one.Shutdown()
	one.Shutdown()
	again := connect(t, Config{URL: embed(t, EmbedConfig{StoreDir: dir}).ClientURL()})
	if n := stored(t, again, StreamRequests); n != 1 {
		t.Errorf("%d messages after a restart", n)
	}
}

func TestEmbedSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	running := embed(t, EmbedConfig{StoreDir: dir})
	address := strings.TrimPrefix(running.ClientURL(), "nats://")
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for name, c := range map[string]struct {
		config EmbedConfig
		parts  []string
	}{
		"port in use":        {EmbedConfig{StoreDir: t.TempDir(), Listen: address}, []string{address, "in use"}},
		"folder in use":      {EmbedConfig{StoreDir: dir}, []string{dir, "in use by another server"}},
		"folder is a file":   {EmbedConfig{StoreDir: file}, []string{file, "cannot be made"}},
		"no folder":          {EmbedConfig{}, []string{"store folder"}},
		"no port":            {EmbedConfig{StoreDir: dir, Listen: "127.0.0.1"}, []string{`"127.0.0.1"`}},
		"every interface":    {EmbedConfig{StoreDir: dir, Listen: ":4222"}, []string{`":4222"`}},
		"not our address":    {EmbedConfig{StoreDir: t.TempDir(), Listen: "127.0.0.1:99999"}, []string{"99999"}},
		"folder with a file": {EmbedConfig{StoreDir: blocked(t)}, []string{"storage directory is not a directory"}},
	} {
		if e, err := Embed(c.config); !oneLine(err, c.parts...) {
			t.Errorf("%s: %v", name, err)
			if e != nil {
				e.Shutdown()
			}
		}
	}
}

// blocked is a folder in which JetStream cannot make its own.
func blocked(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "jetstream"), nil, 0o600))
	return dir
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
