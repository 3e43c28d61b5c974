package workertest_test

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// scene is a rig with what a child process must know to join in, and one key in its pool.
type scene struct {
	*rig
	stack workertest.Stack
}

func newScene(t *testing.T, stack workertest.Stack, d *door) scene {
	t.Helper()
	s := scene{newRigWithDoor(t, stack, d), stack}
	s.addKey("1000001", 1000)
	return s
}

// separate gives so many stacks that know nothing of each other on one NATS, an account each, and one Redis, a database each.
func separate(t *testing.T, n int) []workertest.Stack {
	t.Helper()
	var accounts strings.Builder
	for i := range n {
		fmt.Fprintf(&accounts, "s%d { jetstream: enabled, users: [{user: s%d, password: s}] }\n", i, i)
	}
	broker := workertest.NATS(t, func(o *server.Options) {
		if err := o.ProcessConfigString("accounts {\n" + accounts.String() + "}"); err != nil {
			t.Fatal(err)
		}
	})
	redis := workertest.Redis(t, "--databases", strconv.Itoa(n))
	stacks := make([]workertest.Stack, n)
	for i := range stacks {
		stacks[i].NATS = strings.Replace(broker.URL, "nats://", fmt.Sprintf("nats://s%d:s@", i), 1)
		stacks[i].Redis = fmt.Sprintf("redis://%s/%d", redis.Addr, i)
	}
	return stacks
}

// startWorker starts a worker as a process of its own that dies or freezes at the points.
func (s scene) startWorker(p part) *process {
	s.t.Helper()
	p.NATS, p.Redis, p.Channel = s.stack.NATS, s.stack.Redis, wsURL(s.door.http.URL)
	return startChild(s.t, p)
}

// socket is a listening socket that outlives the relays which serve it, as the address of a load balancer does.
type socket struct {
	file *os.File
	url  string
}

func newSocket(t *testing.T) socket {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return socket{file, wsURL(listener.Addr().String())}
}

// startRelay starts a relay as a process of its own on the socket.
func (s scene) startRelay(at socket, p part) *process {
	s.t.Helper()
	p.Relay = true
	if p.Gateway == "" {
		p.Gateway = s.sim.GatewayURL()
	}
	return startChild(s.t, p, at.file)
}

// dial opens a channel to the relays behind the socket.
func (s scene) dial(at socket) *channel.Client {
	client := channel.Dial(s.ctx, channel.ClientConfig{URL: at.url, Token: "token", CallTimeout: 20 * time.Second})
	s.t.Cleanup(func() { s.must(client.Close()) })
	return client
}

// in is the scene in a subtest.
func (s scene) in(t *testing.T) scene {
	r := *s.rig
	r.t = t
	return scene{&r, s.stack}
}

// await waits for a channel to be closed.
func (s scene) await(closed <-chan struct{}, what string) {
	s.t.Helper()
	select {
	case <-closed:
	case <-time.After(patience):
		s.t.Fatalf("waited %v in vain for %s", patience, what)
	}
}

// finished waits until a worker of this process has done all that is to be done about the request.
func (s scene) finished(id string) {
	s.t.Helper()
	s.until("the end of "+id, func(e worker.Event) bool {
		return e.RequestID == id && (e.Stage == worker.StageFinished || e.Stage == worker.StageParked || e.Stage == worker.StageRejected)
	})
}

// end is how a request must have ended: in the books of 1688, in the pool's, and in the streams.
type end struct {
	outcome    worker.Outcome
	orders     int
	used, held int64
}

// The ends of a request for one product.
var (
	placed  = end{worker.OutcomePlaced, 1, 1, 0}
	parked  = end{worker.OutcomeUnknown, 0, 0, 1} // it provably may have left and was not found: a person decides, the quota stays held
	refused = end{worker.OutcomeRefused, 0, 0, 0}
)

func (s scene) judge(id string, want end) {
	s.t.Helper()
	if result := s.result(id); result.Outcome != want.outcome || len(result.Orders) != want.orders {
		s.t.Errorf("result %+v, want %+v", result, want)
	}
	if orders := s.orders(id); len(orders) != want.orders {
		s.t.Errorf("%d orders exist, want %d: %+v", len(orders), want.orders, orders)
	}
	if key := s.key("1000001"); key.Used != want.used || key.Held != want.held {
		s.t.Errorf("%+v, want %d used and %d held", key, want.used, want.held)
	}
	if n := s.results()["purchase.result.acme."+worker.EncodeRef(id)]; n != 1 {
		s.t.Errorf("%d results are stored, want one", n)
	}
	depth, err := s.bus.Depth(s.ctx)
	s.must(err)
	if depth.Waiting != 0 || depth.InFlight != 0 {
		s.t.Errorf("the request is not off the queue: %+v", depth)
	}
}

// results counts the stored results by subject.
func (s scene) results() map[string]uint64 {
	s.t.Helper()
	nc, err := nats.Connect(s.stack.NATS)
	s.must(err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	s.must(err)
	stream, err := js.Stream(s.ctx, bus.StreamResults)
	s.must(err)
	info, err := stream.Info(s.ctx, jetstream.WithSubjectFilter("purchase.result.>"))
	s.must(err)
	return info.State.Subjects
}
