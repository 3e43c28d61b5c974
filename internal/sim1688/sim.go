package sim1688

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Sim is a running simulator. Its methods are safe for concurrent use.
type Sim struct {
	books   *books
	faults  *faults
	courier *courier

	gateway, messages, admin *door
	cancel                   context.CancelFunc
	unhook                   func() bool
	tasks                    sync.WaitGroup // every goroutine and connection of this simulator
	closing                  sync.Once
}

// Start opens the three ports and serves until Close, or until ctx ends. The ports accept when it returns. It returns an error
// that names each wrong field of cfg, or the address that could not be opened.
func Start(ctx context.Context, cfg Config) (*Sim, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("simulator configuration: %w", err)
	}
	s := &Sim{books: newBooks(cfg), faults: newFaults(cfg.Seed), courier: newCourier(cfg)}
	if err := s.open(cfg); err != nil {
		return nil, err
	}
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	for _, d := range s.doors() {
		s.serve(inner, d, cfg.Log)
	}
	s.tasks.Go(func() { s.resend(inner, cfg.Resend) })
	s.unhook = context.AfterFunc(ctx, s.shut)
	cfg.Log.Debug().Str("gateway", s.GatewayURL()).Str("messages", s.MessagesURL()).Str("admin", s.AdminURL()).
		Msg("1688 simulator listening")
	return s, nil
}

// door is one port.
type door struct {
	name     string
	addr     string
	handler  http.Handler
	listener net.Listener
	server   *http.Server
}

func (s *Sim) doors() []*door { return []*door{s.gateway, s.messages, s.admin} }

func (s *Sim) open(cfg Config) error {
	g := &gateway{books: s.books, faults: s.faults, courier: s.courier}
	api := http.NewServeMux()
	api.Handle("/", g)
	api.HandleFunc("GET /oauth/authorize", g.authorize)
	websocket := http.NewServeMux()
	websocket.Handle("GET /websocket", &messages{books: s.books, courier: s.courier, log: cfg.Log})
	s.gateway = &door{name: "gateway", addr: cfg.GatewayAddr, handler: api}
	s.messages = &door{name: "messages", addr: cfg.MessagesAddr, handler: websocket}
	s.admin = &door{name: "admin", addr: cfg.AdminAddr, handler: (&admin{s}).routes()}
	for _, d := range s.doors() {
		listener, err := net.Listen("tcp", d.addr)
		if err != nil {
			return errors.Join(fmt.Errorf("simulator %s port %s: %w", d.name, d.addr, err), s.closeListeners())
		}
		d.listener = listener
	}
	return nil
}

func (s *Sim) closeListeners() error {
	var errs []error
	for _, d := range s.doors() {
		if d.listener != nil {
			errs = append(errs, d.listener.Close())
		}
	}
	return errors.Join(errs...)
}

// serve runs one port. Connections and requests are counted among the tasks, so that Close can wait for the last of them: the
// server itself does not, nor for a connection that became a websocket.
func (s *Sim) serve(ctx context.Context, d *door, logger zerolog.Logger) {
	d.server = &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(logger, "", 0),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.tasks.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.tasks.Done()
			}
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.tasks.Add(1)
			defer s.tasks.Done()
			d.handler.ServeHTTP(w, r)
		}),
	}
	s.tasks.Go(func() { _ = d.server.Serve(d.listener) }) // until it is closed
}

// resend looks twice per interval for pushes to send again.
func (s *Sim) resend(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(max(every/2, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			s.courier.resendDue(now)
		case <-ctx.Done():
			return
		}
	}
}

// Close ends every connection and returns when every goroutine of the simulator is gone. The books can still be read.
func (s *Sim) Close() error {
	s.unhook()
	s.shut()
	return nil
}

func (s *Sim) shut() {
	s.closing.Do(func() {
		s.cancel()
		for _, d := range s.doors() {
			d.server.Close()
		}
		s.tasks.Wait()
	})
}

// GatewayURL is where the Open API answers, without a path: http://127.0.0.1:port.
func (s *Sim) GatewayURL() string { return "http://" + s.gateway.reach() }

// MessagesURL is the message websocket: ws://127.0.0.1:port/websocket.
func (s *Sim) MessagesURL() string { return "ws://" + s.messages.reach() + "/websocket" }

// AdminURL is where the admin API answers, without a path.
func (s *Sim) AdminURL() string { return "http://" + s.admin.reach() }

// reach is an address a client on this machine can dial, also if the port listens on every interface.
func (d *door) reach() string {
	addr := d.listener.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		addr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: addr.Port}
	}
	return addr.String()
}
