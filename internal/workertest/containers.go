package workertest

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/wait"
)

// The public images. The NATS image has the version of the server inside the test process.
const (
	natsImage  = "nats:" + server.VERSION + "-alpine"
	redisImage = "redis:7-alpine"
)

// standIn names the image that make images builds for a public one which cannot be pulled.
func standIn(image string) string { return "autopurchase-standin/" + image }

// NATSContainer starts NATS with JetStream in a container and returns its URL, nats://127.0.0.1:port. The image is the
// one named by the variable NATS_IMAGE, else the public one. See the package comment for what happens without an engine.
func NATSContainer(t testing.TB) string {
	t.Helper()
	return "nats://" + runContainer(t, image(t, "NATS_IMAGE", natsImage), "4222/tcp",
		testcontainers.WithCmd("nats-server", "--jetstream", "--store_dir", "/data"),
		testcontainers.WithWaitStrategy(wait.ForLog("Server is ready").WithStartupTimeout(startTimeout)))
}

// RedisContainer starts Redis with the settings named at [RedisServer] in a container and returns its URL,
// redis://127.0.0.1:port/0. The image is the one named by the variable REDIS_IMAGE, else the public one. See the package
// comment for what happens without an engine.
func RedisContainer(t testing.TB) string {
	t.Helper()
	return "redis://" + runContainer(t, image(t, "REDIS_IMAGE", redisImage), "6379/tcp",
		testcontainers.WithCmd("redis-server", "--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
			"--maxmemory-policy", "noeviction", "--protected-mode", "no"), // else only the container itself may connect
		testcontainers.WithWaitStrategy(wait.ForLog("Ready to accept connections").WithStartupTimeout(startTimeout))) + "/0"
}

// runContainer starts the image and returns the loopback address under which the container's port is published.
func runContainer(t testing.TB, image, port string, options ...testcontainers.ContainerCustomizer) string {
	t.Helper()
	options = append(options, testcontainers.WithExposedPorts(port), publishOnLoopback(port), testcontainers.WithLogger(log.TestLogger(t)))
	c, err := testcontainers.Run(t.Context(), image, options...)
	testcontainers.CleanupContainer(t, c, testcontainers.StopTimeout(0))
	if err != nil {
		t.Fatalf("container %s: %v (make images builds a stand-in for an image that cannot be had)", image, err)
	}
	published, err := c.MappedPort(t.Context(), port)
	if err != nil {
		t.Fatalf("container %s: port %s: %v", image, port, err)
	}
	return net.JoinHostPort(loopback, published.Port())
}

// publishOnLoopback keeps the container's port away from the network; the library would publish it on every address.
func publishOnLoopback(port string) testcontainers.CustomizeRequestOption {
	return testcontainers.WithHostConfigModifier(func(c *container.HostConfig) {
		c.PortBindings = network.PortMap{
			network.MustParsePort(port): {{HostIP: netip.MustParseAddr(loopback), HostPort: "0"}},
		}
	})
}

// image returns what the variable names, else the public image, else its stand-in if only that one is on this machine.
func image(t testing.TB, variable, public string) string {
	t.Helper()
	provider := engine(t)
	if named := os.Getenv(variable); named != "" {
		return named
	}
	for _, local := range []string{public, standIn(public)} {
		if _, err := provider.Client().ImageInspect(t.Context(), local); err == nil {
			return local
		}
	}
	return public
}

// engine returns the container engine. Without one, the test ends here: skipped, or failed if REQUIRE_DOCKER is 1.
func engine(t testing.TB) *testcontainers.DockerProvider {
	t.Helper()
	prepareLibrary()
	provider, err := testcontainers.NewDockerProvider()
	if err == nil {
		t.Cleanup(func() { _ = provider.Close() })
		err = provider.Health(t.Context())
	}
	if err != nil {
		withoutEngine(t, err)
	}
	stayLocal(t, provider)
	return provider
}

// withoutEngine ends the test.
func withoutEngine(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("REQUIRE_DOCKER") == "1" {
		t.Fatalf("no container engine answers, and REQUIRE_DOCKER=1 asks for one: %v", err)
	}
	t.Skipf("no container engine answers; the same suite ran on local processes: %v", err)
}

// prepareLibrary turns off the library's clean-up container, whose image would have to be pulled, and its greeting. The
// library reads its settings once, so this comes before anything else.
var prepareLibrary = sync.OnceFunc(func() {
	_ = os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true") // "1" would be read as false
	log.SetDefault(log.NewNoopLogger())
})

// stayLocal fails the test unless published ports are on this machine's loopback. For an engine behind a local socket it
// says so to the library, which otherwise, inside a container, dials the default gateway: another machine.
func stayLocal(t testing.TB, provider *testcontainers.DockerProvider) {
	t.Helper()
	if isLocalSocket(provider.Client().DaemonHost()) {
		//nolint:usetesting // t.Setenv would forbid parallel tests, and this holds for the whole process
		_ = os.Setenv("TESTCONTAINERS_HOST_OVERRIDE", loopback)
	}
	host, err := provider.DaemonHost(context.WithoutCancel(t.Context()))
	if err != nil || !isLoopback(host) {
		t.Fatalf("the container engine is at %q (%v): tests talk to the loopback only", host, err)
	}
}

func isLocalSocket(daemon string) bool {
	u, err := url.Parse(daemon)
	return err == nil && (u.Scheme == "unix" || u.Scheme == "npipe")
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
