package workertest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
)

// connect returns a JetStream client for the URL, closed with the test.
func connect(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// client returns a Redis client for the URL, closed with the test.
func client(t *testing.T, url string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestEveryStackKeepsMessagesAndRefusesEviction(t *testing.T) {
	ForEachStack(t, func(t *testing.T, s Stack) {
		js := connect(t, s.NATS)
		stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
			Name: "S", Subjects: []string{"s.>"}, Storage: jetstream.FileStorage,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.Publish(t.Context(), "s.1", []byte("kept")); err != nil {
			t.Fatal(err)
		}
		if m, err := stream.GetMsg(t.Context(), 1); err != nil || string(m.Data) != "kept" {
			t.Errorf("stored message: %v, %v", m, err)
		}
		assertRedisSettings(t, client(t, s.Redis))
	})
}

func assertRedisSettings(t *testing.T, c *redis.Client) {
	t.Helper()
	for setting, want := range map[string]string{
		"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec", "save": "",
	} {
		got, err := c.ConfigGet(t.Context(), setting).Result()
		if err != nil || got[setting] != want {
			t.Errorf("%s = %q (%v), want %q", setting, got[setting], err, want)
		}
	}
}

func TestNATSKeepsPortAndStoreAcrossRestart(t *testing.T) {
	s := NATS(t, SyncAlways)
	js := connect(t, s.URL)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s.1", nil); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	stream, err := connect(t, s.URL).Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().State.Msgs; n != 1 {
		t.Errorf("%d messages after the restart, want 1", n)
	}
}

func TestNATSIsGoneAfterStop(t *testing.T) {
	s := NATS(t)
	s.Stop()
	s.Stop()
	if nc, err := nats.Connect(s.URL); err == nil {
		nc.Close()
		t.Error("a stopped server takes connections")
	}
}

func TestRedisKeepsWhatItWroteAcrossKill(t *testing.T) {
	s := Redis(t)
	if err := client(t, s.URL).Set(t.Context(), "k", "kept", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(){s.Kill, s.Stop, func() {}} {
		end()
		s.Restart()
		if got, err := client(t, s.URL).Get(t.Context(), "k").Result(); got != "kept" {
			t.Errorf("after the restart: %q, %v", got, err)
		}
	}
}

func TestRedisIsGoneAfterKill(t *testing.T) {
	s := Redis(t)
	s.Kill()
	s.Kill()
	if c, err := net.Dial("tcp", s.Addr); err == nil {
		c.Close()
		t.Error("a killed server takes connections")
	}
}

func TestRedisArgumentsComeLast(t *testing.T) {
	s := Redis(t, "--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb")
	got, err := client(t, s.URL).ConfigGet(t.Context(), "maxmemory-policy").Result()
	if err != nil || got["maxmemory-policy"] != "allkeys-lru" {
		t.Errorf("maxmemory-policy = %v, %v", got, err)
	}
}

// fatalTB records a failure instead of ending the surrounding test with it.
type fatalTB struct {
	testing.TB
	failed string
}

func (f *fatalTB) Fatal(args ...any)                 { f.fail(fmt.Sprint(args...)) }
func (f *fatalTB) Fatalf(format string, args ...any) { f.fail(fmt.Sprintf(format, args...)) }
func (f *fatalTB) Skipf(format string, args ...any)  { f.fail("skip: " + fmt.Sprintf(format, args...)) }

func (f *fatalTB) fail(text string) {
	f.failed = text
	panic(f)
}

// failure is what the call fails or skips its test with, "" if it does not.
func failure(t *testing.T, call func(t testing.TB)) string {
	t.Helper()
	f := &fatalTB{TB: t}
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(f) {
				panic(r)
			}
		}()
		call(f)
	}()
	return f.failed
}

func TestRedisSaysWhenThereIsNoServer(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	got := failure(t, func(t testing.TB) { Redis(t) })
	if want := "redis-server is not on the PATH: run make test, which installs it"; got != want {
		t.Errorf("failed with %q, want %q", got, want)
	}
}

func TestRedisShowsItsLogWhenItDoesNotStart(t *testing.T) {
	got := failure(t, func(t testing.TB) { Redis(t, "--no-such-setting", "1") })
	if !bytes.Contains([]byte(got), []byte("no-such-setting")) {
		t.Errorf("failed with %q, which does not name the setting", got)
	}
}

func TestComposeRunsTheSameImages(t *testing.T) {
	file, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"${NATS_IMAGE:-" + natsImage + "}", "${REDIS_IMAGE:-" + redisImage + "}"} {
		if !bytes.Contains(file, []byte(want)) {
			t.Errorf("docker-compose.yml does not use %s", want)
		}
	}
}

func TestPortsInUseAreTriedAgain(t *testing.T) {
	first := Redis(t)
	second := &RedisServer{t: t, dir: t.TempDir(), Addr: first.Addr, line: first.line, ready: first.ready}
	started := time.Now()
	if second.start() {
		second.Kill()
		t.Fatal("two servers on one port")
	}
	if waited := time.Since(started); waited >= startTimeout {
		t.Errorf("noticed only after %v", waited)
	}
}
