package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
)

// natsSettings say where NATS is, as whom to connect to it, and whom to believe that it is NATS.
type natsSettings struct {
	url  string
	nkey string
	user *bus.User // nil is nobody in particular
	tls  tlsFiles
}

// natsURL is where NATS is if nothing is said.
const natsURL = "nats://127.0.0.1:4222"

func (n *natsSettings) bind(s *settings, preset, help string) {
	s.text(&n.url, "nats", preset, help, urls("nats", "tls"))
	s.text(&n.nkey, "nats-nkey", "", "file with the seed of the NATS user, mode 0600: see autopurchase auth init")
	n.tls.bind(s, "nats")
	s.check(n.load)
}

// bindClient binds them for a command that works on a NATS which is there.
func (n *natsSettings) bindClient(s *settings) {
	n.bind(s, natsURL, "URL of NATS, or of its servers with commas between them")
}

func (n *natsSettings) load(terminal) error {
	if n.nkey == "" {
		return nil
	}
	seed, err := readPrivate(n.nkey)
	if err == nil {
		n.user, err = bus.ReadUser(seed)
	}
	if err != nil {
		return fmt.Errorf("--nats-nkey %q: %w", n.nkey, err)
	}
	return nil
}

// config is the broker to connect to by that name.
func (n *natsSettings) config(name string, log zerolog.Logger) bus.Config {
	return bus.Config{URL: n.url, User: n.user, TLS: n.tls.config, Name: name, Log: log}
}

// connected runs a step with a connection by that name.
func (n *natsSettings) connected(ctx context.Context, name string, step func(*bus.Bus) error) (err error) {
	b, err := bus.Connect(ctx, n.config(name, zerolog.Nop()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return step(b)
}

// redisSettings say where Redis is and how to prove to each other who is who.
type redisSettings struct {
	url          string
	passwordFile string
	password     string
	tls          tlsFiles
}

func (r *redisSettings) bind(s *settings, preset, help string, check func(string) error) {
	s.text(&r.url, "redis", preset, help+redisURLs, check)
	s.text(&r.passwordFile, "redis-password-file", "", "file with the password of the URL's user, mode 0600; Sentinels are told it too if the URL names a user for them")
	r.tls.bind(s, "redis")
	s.check(r.load)
}

func (r *redisSettings) load(terminal) error {
	if r.passwordFile != "" {
		password, err := readPrivate(r.passwordFile)
		if err != nil {
			return fmt.Errorf("--redis-password-file %q: %w", r.passwordFile, err)
		}
		if r.password = strings.TrimSpace(string(password)); r.password == "" {
			return fmt.Errorf("--redis-password-file %q: is empty", r.passwordFile)
		}
	}
	if !strings.Contains(r.url, "://") { // one of our own, see checkRedis
		if r.passwordFile != "" || r.tls.given() {
			return errors.New("--redis-password-file, --redis-ca and --redis-cert are for a Redis that is named by its URL: --redis rediss://…")
		}
		return nil
	}
	if err := r.config(r.url).Validate(); err != nil {
		return fmt.Errorf("--redis: %w", err)
	}
	return nil
}

// config is the pool's on the Redis of that URL, which may be another than the one that was chosen: see startRedis.
func (r *redisSettings) config(url string) keypool.Config {
	return keypool.Config{URL: url, Password: r.password, TLS: r.tls.config}
}
