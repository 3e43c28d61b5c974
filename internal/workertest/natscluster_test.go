package workertest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
	"autopurchase/internal/workertest"
)

// TestLeadersStopInACluster stops, under load, the server that leads the requests' stream, and once it is back the one that leads
// the workers' consumer. The other two go on; nothing is bought twice, nothing is lost.
func TestLeadersStopInACluster(t *testing.T) {
	t.Parallel()
	cluster := workertest.NATSCluster(t)
	operator, err := bus.Connect(t.Context(), bus.Config{URL: cluster.URL, Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = operator.Close() }()
	if err := operator.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, workertest.Stack{NATS: cluster.URL, Redis: workertest.Redis(t).URL})
	b := r.broker(cluster.URL)
	r.addKey("1000001", 1000)
	r.work()
	r.work()
	leaders := []func() string{
		func() string {
			stream, err := b.Stream(r.ctx, bus.StreamRequests)
			r.must(err)
			return stream.CachedInfo().Cluster.Leader
		},
		func() string { return b.worker().Cluster.Leader },
	}
	total := 0
	for i, leader := range leaders {
		const n = 80
		filled := r.flood([]string{"stream", "consumer"}[i], n)
		for range n / 4 {
			r.until("a finished request", finished)
		}
		node := cluster.Nodes[leader()]
		node.Stop()
		r.forget()
		stopped := time.Now()
		r.until("a finished request without the leader", finished)
		t.Logf("the first request was finished %v after the leader's stop", time.Since(stopped).Round(time.Millisecond))
		filled()
		total += n
		r.audit(b, total)
		if i+1 < len(leaders) {
			node.Restart()
			r.eventually("the server to catch up", func() bool { return b.allCurrent(bus.StreamRequests) && b.allCurrent(bus.StreamResults) })
		}
	}
}

// allCurrent says whether every server has all of a stream.
func (b broker) allCurrent(stream string) bool {
	s, err := b.Stream(b.r.ctx, stream)
	if err != nil {
		return false
	}
	behind := func(p *jetstream.PeerInfo) bool { return p.Offline || !p.Current }
	return !slices.ContainsFunc(s.CachedInfo().Cluster.Replicas, behind)
}
