package workertest

import "testing"

// Stack is where a suite finds its servers.
type Stack struct {
	NATS  string // URL of a server with JetStream
	Redis string // URL of a server with an append-only file and without eviction
}

// ForEachStack runs the suite as two subtests, each on fresh servers: "processes" and "containers".
func ForEachStack(t *testing.T, suite func(t *testing.T, s Stack)) {
	t.Helper()
	t.Run("processes", func(t *testing.T) {
		suite(t, Stack{NATS: NATS(t).URL, Redis: Redis(t).URL})
	})
	t.Run("containers", func(t *testing.T) {
		suite(t, Stack{NATS: NATSContainer(t), Redis: RedisContainer(t)})
	})
}
