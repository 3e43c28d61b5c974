package chaos

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"autopurchase/internal/address"
	"autopurchase/internal/sim1688"
)

// system is everything that runs, by what a fault may strike: "worker", "relay", "redis", "nats" are processes; "nats",
// "redis", "channel", "gateway" are connections.
type system struct {
	config  Config
	sim     *sim1688.Sim
	clock   clock // the simulator's
	keys    []sim1688.Key
	nats    string // its URL without a proxy
	procs   map[string][]*process
	proxies map[string][]*proxy
	stop    context.CancelFunc
	running sync.WaitGroup
	notes   *notes
	where   map[string]string // addresses by name
}

// newSystem starts everything. What it started is ended by close, also after an error.
func newSystem(c Config, keys []sim1688.Key, notes *notes) (*system, error) {
	ctx, stop := context.WithCancel(context.Background())
	s := &system{config: c, keys: keys, notes: notes, stop: stop, procs: map[string][]*process{}, proxies: map[string][]*proxy{}, where: map[string]string{}}
	steps := []func(context.Context) error{s.startSim, s.startStores, s.startRelays, s.startWorkers}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *system) close() {
	s.stop()
	s.running.Wait()
	for _, proxies := range s.proxies {
		for _, p := range proxies {
			p.close()
		}
	}
	if s.sim != nil {
		_ = s.sim.Close() // it never fails
	}
}

func (s *system) startSim(ctx context.Context) (err error) {
	s.sim, err = sim1688.Start(ctx, sim1688.Config{Keys: s.keys, Seed: s.config.Seed, Now: s.clock.now, TokenLife: tokenLife})
	if err == nil {
		for _, key := range s.keys {
			s.sim.SetAgreement(key.Member, true)
		}
	}
	return err
}

// startStores starts Redis and NATS on ports that they keep. Both write through before they acknowledge: with appendfsync
// everysec a Redis that is busy with its disk acknowledges first, and one that is killed then has lost what it acknowledged.
func (s *system) startStores(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range []string{"redis", "nats"} {
		if s.where[name], err = address.Free(); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(s.config.Dir, name), 0o700); err != nil {
			return err
		}
	}
	s.nats = "nats://" + s.where["nats"]
	_, port, _ := net.SplitHostPort(s.where["redis"])
	s.launch(ctx, &process{name: "redis", path: "redis-server", args: []string{
		"--bind", "127.0.0.1", "--port", port, "--dir", filepath.Join(s.config.Dir, "redis"), "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction",
	}})
	s.launch(ctx, &process{name: "nats", path: self, env: []string{
		brokerStore + "=" + filepath.Join(s.config.Dir, "nats"), brokerListen + "=" + s.where["nats"],
	}})
	return nil
}

// startRelays gives each relay a proxy to 1688 and a port that it keeps.
func (s *system) startRelays(ctx context.Context) error {
	file, err := writeKeys(s.config.Dir, s.keys)
	if err != nil {
		return err
	}
	for i := range s.config.Relays {
		name := "relay" + strconv.Itoa(i)
		gateway, err := s.between("gateway", s.sim.GatewayURL()[len("http://"):])
		if err != nil {
			return err
		}
		if s.where[name], err = address.Free(); err != nil {
			return err
		}
		s.launch(ctx, &process{name: name, path: s.config.Binary, args: []string{
			"relay", "--listen", s.where[name], "--keys-file", file, "--gateway", "http://" + gateway, "--messages", s.sim.MessagesURL(),
			"--per-key", "0", "--gateway-timeout", "3s", "--missed-every", "2s",
		}})
	}
	return nil
}

// startWorkers gives each worker proxies of its own to NATS, to Redis and to one of the relays.
func (s *system) startWorkers(ctx context.Context) error {
	for i := range s.config.Workers {
		relay := s.where["relay"+strconv.Itoa(i%s.config.Relays)]
		var to [3]string
		for at, line := range [][2]string{{"nats", s.where["nats"]}, {"redis", s.where["redis"]}, {"channel", relay}} {
			address, err := s.between(line[0], line[1])
			if err != nil {
				return err
			}
			to[at] = address
		}
		s.launch(ctx, &process{name: "worker" + strconv.Itoa(i), path: s.config.Binary, args: []string{
			"worker", "--nats", "nats://" + to[0], "--redis", "redis://" + to[1], "--channel", "ws://" + to[2] + "/channel",
			"--workers", "16", "--ack-wait", "2s", "--look-for", "5s", "--call-timeout", "4s", "--grace", "3s",
			"--pay-timeout", "4s", "--pay-look-for", "12s", "--pay-order-ceiling", "0", "--pay-day-ceiling", "0",
		}})
	}
	return nil
}

func (s *system) between(line, target string) (string, error) {
	p, err := newProxy(target)
	if err != nil {
		return "", err
	}
	s.proxies[line] = append(s.proxies[line], p)
	return p.address(), nil
}

func (s *system) launch(ctx context.Context, p *process) {
	p.log = filepath.Join(s.config.Dir, p.name+".log")
	p.died = s.notes.death
	kind := p.name
	for kind[len(kind)-1] >= '0' && kind[len(kind)-1] <= '9' {
		kind = kind[:len(kind)-1]
	}
	s.procs[kind] = append(s.procs[kind], p)
	s.running.Go(func() { p.run(ctx) })
}
