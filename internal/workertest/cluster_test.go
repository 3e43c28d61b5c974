package workertest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
)

const (
	clusterTenant = "acme"
	clusterLimit  = 150 // products a key may order: a run sees several rotations
	clusterKeys   = 64  // enough for a slow machine, on which the faults take longer while requests go on coming
	ackWait       = 5 * time.Second
	enoughResults = 25 // show that the others go on
)

// TestClusterLosesItsParts publishes requests without a pause while, one after another, the container that leads the requests'
// stream, Redis's primary, and a relay together with a worker are killed, and another worker is cut off the network and let
// back. Purchases go on each time before anything is repaired, and nobody else is restarted. In the end the simulator's books
// hold one order for each reference, every request has one result, and no key is over its limit.
func TestClusterLosesItsParts(t *testing.T) {
	file, appKeys := keysFile(t, clusterKeys)
	c := compose(t, file, "AUTOPURCHASE_WORKERS=4", "AUTOPURCHASE_ACK_WAIT="+ackWait.String(), "AUTOPURCHASE_LOOK_FOR=10s")
	js := c.jetstream()
	c.addKeys(appKeys)
	c.slowDown(150 * time.Millisecond)
	began := c.starts()
	load := c.load()
	c.more(js, enoughResults)
	struck := slices.Concat(c.loseLeader(js), c.losePrimary(js), c.loseRelayAndWorker(js))
	c.cutOffWorker(js)
	ids := load.end(c)
	c.await("a result for each request", func() bool { return c.results(js) >= uint64(len(ids)) })
	c.await("every container healthy again", c.healthy)
	c.await("the first primary to be a replica", func() bool { return c.isReplica("redis-1") })
	for service, start := range c.starts() {
		if start != began[service] && !slices.Contains(struck, service) {
			t.Errorf("%s was started again: %s, then %s", service, began[service], start)
		}
	}
	c.replay(load.body, len(ids))
	c.judge(js, ids)
}

// loseLeader kills the server that leads the requests' stream. The other two go on; it catches up when it is back.
func (c *composed) loseLeader(js jetstream.JetStream) (struck []string) {
	c.t.Helper()
	info := c.stream(js, bus.StreamRequests)
	if len(info.Cluster.Replicas) != 2 {
		c.t.Fatalf("stream %s is on %d servers beside its leader, want 2", bus.StreamRequests, len(info.Cluster.Replicas))
	}
	leader := info.Cluster.Leader
	c.kill(leader)
	c.more(js, enoughResults)
	c.start(leader)
	c.await(leader+" to catch up", func() bool {
		info := c.stream(js, bus.StreamRequests)
		behind := func(p *jetstream.PeerInfo) bool { return p.Offline || !p.Current }
		return info.Cluster.Leader != "" && !slices.ContainsFunc(info.Cluster.Replicas, behind)
	})
	return []string{leader}
}

// losePrimary kills the Redis that takes the writes. The Sentinels make another one primary.
func (c *composed) losePrimary(js jetstream.JetStream) (struck []string) {
	c.t.Helper()
	const old = "redis-1"
	c.kill(old)
	c.await("another primary", func() bool { return c.primary() != old })
	c.say("%s is primary", c.primary())
	c.more(js, enoughResults)
	c.start(old)
	return []string{old}
}

func (c *composed) primary() string {
	c.t.Helper()
	name, _, _ := strings.Cut(c.docker("exec", c.ids["sentinel-1"], "redis-cli", "-p", "26379", "sentinel", "get-master-addr-by-name", "autopurchase"), "\n")
	return strings.TrimSpace(name)
}

func (c *composed) isReplica(service string) bool {
	c.t.Helper()
	return strings.HasPrefix(c.docker("exec", c.ids[service], "redis-cli", "role"), "slave")
}

// loseRelayAndWorker kills a relay and a worker with everything that they have under way.
func (c *composed) loseRelayAndWorker(js jetstream.JetStream) (struck []string) {
	c.t.Helper()
	struck = []string{"relay-a", "cluster-worker-2"}
	c.kill(struck...)
	c.more(js, enoughResults)
	c.start(struck...)
	return struck
}

// cutOffWorker takes a worker off the network, which tells nobody, until the others have taken its requests over.
func (c *composed) cutOffWorker(js jetstream.JetStream) {
	c.t.Helper()
	const cut = "cluster-worker-1"
	network := c.project + "_default"
	c.say("cutting off %s", cut)
	c.docker("network", "disconnect", network, c.ids[cut])
	c.await(cut+" to miss the others", func() bool { return c.inspect("{{.State.Health.FailingStreak}}")[cut] != "0" })
	delivered := c.stream(js, bus.StreamRequests).State.LastSeq
	c.await("all that it had to be done by the others", func() bool { return c.acked(js) >= delivered })
	c.say("all that it had was done by the others")
	c.docker("network", "connect", "--alias", cut, network, c.ids[cut])
	c.say("%s is on the network again", cut)
	c.await(cut+" to work again", func() bool { return c.inspect("{{.State.Health.FailingStreak}}")[cut] == "0" })
}
