package bus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

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

// TestAKilledServerIsTold from one that was stopped, until what it may have forgotten has been made up for.
func TestAKilledServerIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := embed(t, EmbedConfig{StoreDir: dir})
	killed := t.TempDir()
	must(t, os.CopyFS(filepath.Join(killed, "copy"), os.DirFS(dir))) // as it would be left behind now
	first.Shutdown()
	again := embed(t, EmbedConfig{StoreDir: dir})
	if !first.Stopped() || !again.Stopped() {
		t.Errorf("stopped: at first %v, after a stop %v", first.Stopped(), again.Stopped())
	}
	for range 2 {
		after := embed(t, EmbedConfig{StoreDir: filepath.Join(killed, "copy")})
		if after.Stopped() {
			t.Error("a killed one was stopped in good order")
		}
		after.Shutdown()
	}
	after := embed(t, EmbedConfig{StoreDir: filepath.Join(killed, "copy")})
	after.started = after.started.Add(-forgottenFor)
	after.Shutdown()
	if !embed(t, EmbedConfig{StoreDir: filepath.Join(killed, "copy")}).Stopped() {
		t.Error("it is never forgiven")
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
