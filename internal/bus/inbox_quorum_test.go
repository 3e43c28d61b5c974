package bus

import (
	"context"
	"testing"
	"time"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// TestWithoutALeaderNobodyIsReady: two of three servers are away, so that neither the stream nor its consumer has a leader, and
// the connection to the third stays. The inbox says that it gets nothing and sends its callers away; once the two are back it
// goes on by itself.
func TestWithoutALeaderNobodyIsReady(t *testing.T) {
	t.Parallel()
	cluster := workertest.NATSCluster(t)
	operator := connect(t, Config{URL: cluster.URL, Replicas: 3})
	must(t, operator.Provision(bounded(t)))
	const stays = "n1"
	b := connect(t, Config{URL: cluster.Nodes[stays].URL})
	in := openInbox(t, b)
	ctx, cancel := context.WithCancel(context.Background())
	delivered, away, ended := make(chan worker.Delivery, 1), make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			d, err := in.Next(ctx)
			if err == nil {
				delivered <- *d
				return
			}
			select {
			case away <- err:
			default:
			}
		}
	}()
	defer func() { cancel(); <-ended }()
	must(t, in.Ready(t.Context()))
	var others []*workertest.NATSServer
	for name, node := range cluster.Nodes {
		if name != stays {
			others = append(others, node)
			node.Stop()
		}
	}
	without := time.Now()
	select {
	case err := <-away:
		if worker.AsTrouble(err).Code != worker.CodeNATSDown || in.Ready(t.Context()) == nil {
			t.Errorf("a caller was told %v, and that it is ready: %v", err, in.Ready(t.Context()))
		}
	case <-time.After(3 * limit): // a server that led goes on for some 20 s before it notices that nobody follows
		t.Fatal("nobody was told anything")
	}
	t.Logf("a caller was told %v after the quorum was gone", time.Since(without).Round(time.Second))
	if err := b.Ready(t.Context()); err != nil {
		t.Errorf("the connection is gone too: %v", err)
	}
	for _, other := range others {
		other.Restart()
	}
	until(t, "the inbox is ready again", func() bool { return in.Ready(t.Context()) == nil })
	until(t, "a request is published", func() bool {
		_, err := b.Submit(bounded(t), "acme", "PR-1", requestBody("PR-1", 1))
		return err == nil
	})
	if d := receive(t, delivered); d.Attempt != 1 {
		t.Errorf("%+v", d)
	}
}
