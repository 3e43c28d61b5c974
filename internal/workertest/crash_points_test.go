package workertest_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// workerCrash is a point at which a worker dies, and how its request must end all the same.
type workerCrash struct {
	at    string
	fault string     // of the simulator when the order is sent
	body  string     // of the request; "" is a good one
	most  worker.Fen // that it may cost, so that it is previewed first; 0 says nothing
	want  end
}

const (
	atTheRelay  = "the order is at the relay"      // the relay has not called the gateway yet
	atTheWorker = "the answer is about to be told" // the order exists
)

// workerCrashes has every effect of a worker, before and after. Drawing marks the order as sent in the same step: a death
// between that and the order's leaving cannot be told from one after it, so what is not found is parked.
var workerCrashes = []workerCrash{
	{at: "before admit", want: placed},
	{at: "after admit", want: placed},
	{at: "before draw", want: placed},
	{at: "after draw", want: parked},
	{at: "before place", want: parked},
	{at: atTheRelay, want: placed},
	{at: atTheWorker, want: placed},
	{at: "after place", want: placed},
	{at: "before find", fault: "cut_after", want: placed},
	{at: "after find", fault: "cut_after", want: placed},
	{at: "before settle", want: placed},
	{at: "after settle", want: placed},
	{at: "before publish", want: placed},
	{at: "after publish", want: placed},
	{at: "before ack", want: placed},
	{at: "after ack", want: placed},
	{at: "before unsend", fault: "throttled", want: parked},
	{at: "after unsend", fault: "throttled", want: placed},
	{at: "before nak", fault: "throttled", want: placed},
	{at: "after nak", fault: "throttled", want: placed},
	{at: "after settle", fault: "refuse", want: refused},
	{at: "before preview", most: 1_000_000, want: placed},
	{at: "after preview", most: 1_000_000, want: placed},
	{at: "after draw", most: 1_000_000, want: placed}, // nothing was drawn: it is to be previewed
	{at: "after place", most: 1_000_000, want: placed},
	{at: "after preview", most: 1, want: refused},
	{at: "before refuse", most: 1, want: refused},
	{at: "after refuse", most: 1, want: refused},
	{at: "after publish", most: 1, want: refused},
	{at: "before bury", body: "{not json", want: refused},
	{at: "after bury", body: "{not json", want: refused},
	{at: "before term", body: "{not json", want: refused},
	{at: "after term", body: "{not json", want: refused},
}

// TestWorkerDiesAtEveryPoint kills a real worker process at each point; another worker takes over what is delivered again.
// All die, and all recover, side by side.
func TestWorkerDiesAtEveryPoint(t *testing.T) {
	t.Parallel()
	stacks := separate(t, len(workerCrashes))
	deaths := make([]*death, len(workerCrashes))
	for i, c := range workerCrashes {
		deaths[i] = c.begin(t, stacks[i])
	}
	for _, d := range deaths {
		d.doomed.killed()
		d.work()
	}
	for i, c := range workerCrashes {
		t.Run(strings.TrimSpace(c.at+" "+c.fault), func(t *testing.T) {
			s := deaths[i].in(t)
			if c.at != "after ack" && c.at != "after term" {
				s.finished("crash")
			}
			s.judge("crash", c.want)
		})
	}
}

// death is a scene with a worker that is about to die.
type death struct {
	scene
	doomed  *process
	arrived chan struct{} // closed when the order is where the test kills the worker; nil if that kills itself
	dead    chan struct{} // closed when it is dead
}

func (c workerCrash) begin(t *testing.T, stack workertest.Stack) *death {
	t.Helper()
	d := &death{dead: make(chan struct{})}
	d.scene = newScene(t, stack, &door{around: d.around(c.at)})
	if c.fault != "" {
		d.must(d.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: c.fault, Count: 1}))
	}
	d.doomed = d.startWorker(part{DieAt: []string{c.at}, LookFor: patience})
	if c.body != "" {
		d.askRaw("crash", []byte(c.body))
	} else {
		q := d.request("crash", 0)
		q.MaxTotal = c.most
		d.ask(q)
	}
	if d.arrived != nil { // now: the worker does not wait for ever
		d.await(d.arrived, "the order's coming to the relay")
		d.doomed.kill()
		close(d.dead)
	}
	return d
}

// around holds the order, or the answer about it, until the worker is dead.
func (d *death) around(at string) func(place func() worker.Answer) worker.Answer {
	hold := func() { close(d.arrived); <-d.dead }
	switch at {
	case atTheRelay:
		d.arrived = make(chan struct{})
		return func(place func() worker.Answer) worker.Answer { hold(); return place() }
	case atTheWorker:
		d.arrived = make(chan struct{})
		return func(place func() worker.Answer) worker.Answer { defer hold(); return place() }
	default:
		return nil
	}
}

// relayCrash is a point at which a relay dies, and how the request whose order it has must end.
type relayCrash struct {
	at    string
	fault string
	want  end
}

const (
	inTheGateway = "the gateway has the order and has not answered"
	answered     = "the worker has the answer"
)

var relayCrashes = []relayCrash{
	{at: "before gateway", want: parked},
	{at: inTheGateway, want: placed},
	{at: "after gateway", want: placed},
	{at: answered, want: placed},
	{at: "before find", fault: "cut_after", want: placed},
	{at: "after find", fault: "cut_after", want: placed},
}

// TestRelayDiesAtEveryPoint kills a real relay process at each point; another one takes its address over, and the worker,
// which lives on, finds out what became of the order.
func TestRelayDiesAtEveryPoint(t *testing.T) {
	t.Parallel()
	stacks := separate(t, len(relayCrashes))
	for i, c := range relayCrashes {
		t.Run(c.at, func(t *testing.T) {
			t.Parallel()
			c.play(newScene(t, stacks[i], &door{}))
		})
	}
}

func (c relayCrash) play(s scene) {
	if c.fault != "" {
		s.must(s.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: c.fault, Count: 1}))
	}
	at, reached, dead := newSocket(s.t), make(chan struct{}), make(chan struct{})
	doomed := s.startRelay(at, part{DieAt: []string{c.at}, Gateway: s.gateway(c.at, reached, dead)})
	client := s.dial(at)
	s.work(func(_ *worker.Config, p *worker.Ports) {
		p.Market = market{client, func(ctx context.Context, order worker.Order) worker.Answer {
			answer := *client.Place(ctx, &order)
			if c.at == answered {
				close(reached)
				<-dead
			}
			return answer
		}}
	})
	s.ask(s.request("crash", 0))
	if c.at == answered || c.at == inTheGateway {
		s.await(reached, c.at)
		doomed.kill()
	}
	doomed.killed()
	close(dead)
	s.startRelay(at, part{})
	s.finished("crash")
	s.judge("crash", c.want)
}

// gateway is the simulator's, behind a door that holds the answer to an order until the relay is dead if that is the point.
func (s scene) gateway(at string, reached, dead chan struct{}) string {
	if at != inTheGateway {
		return s.sim.GatewayURL()
	}
	target, err := url.Parse(s.sim.GatewayURL())
	s.must(err)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			if strings.Contains(r.Request.URL.Path, "fastCreateOrder") {
				close(reached)
				<-dead
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0), // nobody is left to take the answer
	}
	front := httptest.NewServer(proxy)
	s.t.Cleanup(front.Close)
	return front.URL
}
