package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/internal/metrics"
	"autopurchase/internal/relay"
)

// systemSettings are what up and demo share: where everything on this one machine is.
type systemSettings struct {
	worker workerSettings
	data   string
	nats   natsSettings
	redis  redisSettings
	http   string
	page   dashboardSettings
	listen string
	log    string
	index  bool // keep an index of the requests in the folder
	sync   bool // the embedded NATS writes every message through to the disk before it is acknowledged
}

func (s *systemSettings) bind(set *settings, dataHelp string) {
	s.worker.bind(set)
	set.text(&s.data, "data", "", dataHelp)
	s.nats.bind(set, "", "use this NATS instead of the embedded one; URLs of several servers with commas between them")
	s.redis.bind(set, redisAuto, "in-process | server | URL; auto takes redis-server if it is on the PATH; URLs: ", checkRedis)
	set.text(&s.http, "http", "127.0.0.1:0", "where the dashboard, /livez, /readyz, "+metrics.Path+" and "+relay.CallbackPath+" listen", anAddress)
	s.page.bind(set, &s.http)
	set.text(&s.listen, "listen", "127.0.0.1:0", "where the relay listens for workers of other processes of this machine", anAddress, onLoopback)
	set.text(&s.log, "log", "info", "trace | debug | info | warn | error", checkLevel)
}

// onLoopback refuses an address through which others on the network could order: this channel has no TLS.
func onLoopback(address string) error {
	if host, _, err := net.SplitHostPort(address); err != nil || !loopback(host) {
		return errors.New("must be on loopback, such as 127.0.0.1:7700; for workers on other machines run the parts apart: autopurchase relay")
	}
	return nil
}

// system is NATS, Redis, relay and worker in this process, as far as they are not elsewhere.
type system struct {
	data  folder
	relay *relayPart
	work  *workerPart
	index *indexPart // nil if none is kept
	where addresses
	log   zerolog.Logger
}

// newSystem starts everything but the worker's and the relay's running. config is the relay's.
func newSystem(ctx context.Context, set systemSettings, data folder, config relay.Config, see witness, undo *cleanup) (*system, error) {
	log := see.log
	s := &system{data: data, log: log}
	redisURL, durable, err := startRedis(ctx, set.redis.url, data, undo)
	if err != nil {
		return nil, err
	}
	if !durable {
		log.Warn().Msg("in-process Redis: for trying out; it forgets at each stop and is rebuilt from the journal at each start")
	}
	broker, err := startBroker(set, data, log, undo)
	if err != nil {
		return nil, err
	}
	stores, err := openStores(ctx, see.broker(broker), see.redis(set.redis.config(redisURL)), undo)
	if err != nil {
		return nil, err
	}
	if to := config.Identities.Recipients(); len(to) > 0 {
		config = sealedWith(config, config.Identities, stores.pool)
		if err := stores.addRecipients(ctx, to); err != nil {
			return nil, err
		}
	}
	if s.relay, err = newRelayPart(config, doorSettings{address: set.listen, token: set.worker.channel.token}, stopBudget/2, see, undo); err != nil {
		return nil, err
	}
	set.worker.channel.url = s.relay.url
	if s.work, err = newWorkerPart(ctx, stores, set.worker, see, undo); err != nil {
		return nil, err
	}
	if set.index {
		if s.index, err = newIndexPart(ctx, stores.bus, filepath.Join(data.path, "index.db"), log, undo); err != nil {
			return nil, err
		}
		if err := s.index.answer(ctx); err != nil {
			return nil, err
		}
	}
	handler := healthHandler(s.work.readiness(), s.work.organs())
	handler.Handle("GET "+metrics.Path, see.metrics)
	handler.Handle("GET "+relay.CallbackPath, s.relay.relay.Callback())
	admin, err := data.secret(adminTokenFile)
	if err != nil {
		return nil, err
	}
	at, err := serveDashboard(set.http, handler, dashboardConfig(window{stores.bus, s.index}, set.page.token, admin, log), undo)
	if err != nil {
		return nil, err
	}
	s.where = addresses{NATS: broker.URL, Redis: redisURL, Channel: s.relay.url, HTTP: "http://" + at.String()}
	return s, nil
}

// startBroker gives the NATS to connect to, and starts the embedded one if it is ours.
func startBroker(set systemSettings, data folder, log zerolog.Logger, undo *cleanup) (bus.Config, error) {
	config := set.nats.config("autopurchase", log)
	config.AckWait, config.Replicas, config.LaneShares = set.worker.ackWait, set.worker.replicas, set.worker.lanes
	if set.nats.url != "" {
		return config, nil
	}
	embedded, err := bus.Embed(bus.EmbedConfig{StoreDir: filepath.Join(data.path, "nats"), Listen: "127.0.0.1:0", SyncAlways: set.sync, Log: log})
	if err != nil {
		return config, fmt.Errorf("embedded NATS: %w", err)
	}
	undo.add("embedded NATS", func(context.Context) error { embedded.Shutdown(); return nil })
	config.URL, config.Stopped = embedded.ClientURL(), embedded.Stopped()
	return config, nil
}

// run works until ctx ends; the relay outlives the worker, which still has answers to wait for.
func (s *system) run(ctx context.Context) {
	relaying, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- s.relay.relay.Run(relaying) }()
	var indexing sync.WaitGroup
	if s.index != nil {
		indexing.Go(func() { s.index.run(relaying) })
	}
	s.work.run(ctx)
	stop()
	indexing.Wait()
	if err := <-done; err != nil {
		s.log.Error().Err(err).Msg("relay")
	}
}
