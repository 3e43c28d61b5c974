package workertest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// clusterSize is the smallest number of servers of which one may be away.
const clusterSize = 3

// Cluster is three NATS servers with JetStream inside the test process that replicate streams among themselves.
type Cluster struct {
	URL   string // of all three, with commas between them
	Nodes map[string]*NATSServer
}

// NATSCluster starts three servers and returns once they have chosen a leader; the test fails if they do not. The options are
// every server's; see [NATS].
func NATSCluster(t testing.TB, options ...func(*server.Options)) *Cluster {
	t.Helper()
	var routes []*url.URL
	for range clusterSize {
		routes = append(routes, &url.URL{Scheme: "nats", Host: freeAddr(t)})
	}
	c := &Cluster{Nodes: map[string]*NATSServer{}}
	var urls []string
	for i, own := range routes {
		name := fmt.Sprintf("n%d", i+1)
		port, _ := strconv.Atoi(own.Port())
		node := NATS(t, append(options, func(o *server.Options) {
			o.ServerName, o.Routes = name, routes
			o.Cluster = server.ClusterOpts{Name: "test", Host: loopback, Port: port, NoAdvertise: true}
		})...)
		c.Nodes[name] = node
		urls = append(urls, node.URL)
	}
	c.URL = strings.Join(urls, ",")
	c.await(t)
	return c
}

// await returns once a leader knows all servers.
func (c *Cluster) await(t testing.TB) {
	t.Helper()
	limit, again := time.After(startTimeout), time.NewTicker(10*time.Millisecond)
	defer again.Stop()
	for !c.complete() {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("the NATS cluster chose no leader within %v", startTimeout)
		}
	}
}

func (c *Cluster) complete() bool {
	for _, node := range c.Nodes {
		if s := node.running; s != nil && s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == clusterSize {
			return true
		}
	}
	return false
}
