package bus

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
)

// EmbedConfig says how to run a NATS server inside this process.
type EmbedConfig struct {
	// StoreDir is where JetStream keeps its files; it is made if missing. One server at a time may use it. Required.
	StoreDir string
	// Listen is host:port; port 0 takes a free one. Default 127.0.0.1:0. Empty host is refused: the server has no password.
	Listen string
	// SyncAlways writes every message through to the disk before it is acknowledged. Without it a power failure may lose the
	// last two minutes; a crash of the process alone loses nothing.
	SyncAlways bool
	// Log gets the server's warnings and errors; its notices at debug.
	Log zerolog.Logger
}

// Embedded is a NATS server with JetStream inside this process. Any number may run at once, each on its own folder.
type Embedded struct {
	server  *server.Server
	lock    *os.File
	stopped bool // the one before
	started time.Time
	once    sync.Once
}

// embedTimeout is how long the server may take to recover its files and listen.
const embedTimeout = 60 * time.Second

// readyEvery is how long to wait for the server before looking whether it gave up.
const readyEvery = 30 * time.Millisecond

// Embed starts a server and returns once it takes connections. Its errors are one line each: the address is in use or wrong,
// the folder cannot be written or another server has it, the server gave up.
func Embed(config EmbedConfig) (*Embedded, error) {
	options, err := config.options()
	if err != nil {
		return nil, err
	}
	lock, err := lockStore(config.StoreDir)
	if err != nil {
		return nil, err
	}
	e := &Embedded{lock: lock, started: time.Now()}
	if e.stopped, err = markRunning(lock); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("store folder %s cannot be written: %w", config.StoreDir, err)
	}
	if err := e.start(config, options); err != nil {
		e.Shutdown()
		return nil, err
	}
	return e, nil
}

func (c EmbedConfig) options() (*server.Options, error) {
	setDefault(&c.Listen, "127.0.0.1:0")
	host, portText, err := net.SplitHostPort(c.Listen)
	port, portErr := strconv.ParseUint(portText, 10, 16)
	if err != nil || portErr != nil || host == "" {
		return nil, fmt.Errorf("listen %q: must be host:port, such as 127.0.0.1:4222", c.Listen)
	}
	if c.StoreDir == "" {
		return nil, errors.New("store folder: must be given")
	}
	options := &server.Options{
		ServerName: "autopurchase-" + strconv.Itoa(os.Getpid()) + "-" + filepath.Base(c.StoreDir),
		Host:       host, Port: int(port),
		JetStream: true, StoreDir: c.StoreDir, SyncAlways: c.SyncAlways,
		NoSigs: true, // signals are this process's own
	}
	if port == 0 {
		options.Port = server.RANDOM_PORT
	}
	return options, nil
}

// start runs the server and waits until it is ready or gives up.
func (e *Embedded) start(config EmbedConfig, options *server.Options) error {
	if options.Port != server.RANDOM_PORT {
		if err := portFree(config.Listen); err != nil {
			return err
		}
	}
	s, err := server.NewServer(options)
	if err != nil {
		return fmt.Errorf("NATS server: %w", err)
	}
	e.server = s
	logger := &serverLog{log: config.Log, fatal: make(chan string, 1)}
	s.SetLoggerV2(logger, false, false, false)
	go s.Start() // it returns once the server listens or has given up
	for deadline := time.Now().Add(embedTimeout); time.Now().Before(deadline); {
		select {
		case reason := <-logger.fatal:
			return fmt.Errorf("NATS server in %s: %s", config.StoreDir, reason)
		default:
		}
		if s.ReadyForConnections(readyEvery) {
			return nil
		}
	}
	return fmt.Errorf("NATS server in %s was not ready within %v", config.StoreDir, embedTimeout)
}

// portFree finds out before the server does: the server would recover its files first.
func portFree(address string) error {
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use: stop what listens there, or choose another address", address)
	case err != nil:
		return fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return listener.Close()
}

// ClientURL is where clients connect.
func (e *Embedded) ClientURL() string { return e.server.ClientURL() }

// InProcess connects inside the process, for Config.Server.
func (e *Embedded) InProcess() nats.InProcessConnProvider { return e.server }

// Stopped says whether the server before this one on the same folder was stopped in good order, or there was none. One that was
// killed may have forgotten its last deliveries.
func (e *Embedded) Stopped() bool { return e.stopped }

// Shutdown ends the server, writes what is left and gives the folder free. Calling it again does nothing.
func (e *Embedded) Shutdown() {
	e.once.Do(func() {
		if e.server != nil {
			e.server.Shutdown()
			e.server.WaitForShutdown()
		}
		if e.stopped || time.Since(e.started) > forgottenFor { // or what the killed one forgot may not have been made up for
			_ = e.lock.Truncate(0)
		}
		_ = e.lock.Close() // gives the lock free
	})
}

// lockStore makes the folder and keeps other servers out of it: two on the same files destroy them.
func lockStore(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store folder %s cannot be made: %w", dir, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store folder %s cannot be written: %w", dir, err)
	}
	if err := lockFile(file); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("store folder %s is in use by another server: stop it, or choose another folder", dir)
	}
	return file, nil
}

// markRunning leaves a word in the lock's file until the server is stopped, and says whether the one before took its own away.
func markRunning(lock *os.File) (stopped bool, err error) {
	info, err := lock.Stat()
	if err != nil {
		return false, err
	}
	if _, err := lock.WriteAt([]byte("running\n"), 0); err != nil {
		return false, err
	}
	return info.Size() == 0, lock.Sync()
}

// serverLog hands the server's log on. The server calls Fatalf where it would end its own process.
type serverLog struct {
	log   zerolog.Logger
	fatal chan string
}

func (l *serverLog) Noticef(format string, v ...any) {
	l.log.Debug().Msgf("nats-server: "+format, v...)
}
func (l *serverLog) Warnf(format string, v ...any)  { l.log.Warn().Msgf("nats-server: "+format, v...) }
func (l *serverLog) Errorf(format string, v ...any) { l.log.Error().Msgf("nats-server: "+format, v...) }
func (l *serverLog) Debugf(string, ...any)          {}
func (l *serverLog) Tracef(string, ...any)          {}

func (l *serverLog) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default: // the first reason is the one that counts
	}
}
