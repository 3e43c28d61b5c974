package workertest

import (
	"errors"
	"testing"
)

func TestWithoutAnEngineContainersAreSkippedOrRequired(t *testing.T) {
	for require, want := range map[string]string{
		"":  "skip: no container engine answers; the same suite ran on local processes: no socket",
		"0": "skip: no container engine answers; the same suite ran on local processes: no socket",
		"1": "no container engine answers, and REQUIRE_DOCKER=1 asks for one: no socket",
	} {
		t.Setenv("REQUIRE_DOCKER", require)
		got := failure(t, func(t testing.TB) { withoutEngine(t, errors.New("no socket")) })
		if got != want {
			t.Errorf("REQUIRE_DOCKER=%s: ended with %q, want %q", require, got, want)
		}
	}
}

func TestNamedImageWins(t *testing.T) {
	engine(t)
	t.Setenv("NATS_IMAGE", "some/other:tag")
	if got := image(t, "NATS_IMAGE", natsImage); got != "some/other:tag" {
		t.Errorf("image %q", got)
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "localhost": true, "::1": true, "127.8.8.8": true,
		"172.17.0.1": false, "0.0.0.0": false, "docker.example": false, "": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("isLoopback(%q) = %v", host, got)
		}
	}
	for daemon, want := range map[string]bool{
		"unix:///var/run/docker.sock": true, "npipe:////./pipe/docker_engine": true,
		"tcp://127.0.0.1:2375": false, "ssh://builder": false, "": false, ":": false,
	} {
		if got := isLocalSocket(daemon); got != want {
			t.Errorf("isLocalSocket(%q) = %v", daemon, got)
		}
	}
}
