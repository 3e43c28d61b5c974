package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
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

// tlsFiles are what one end of a connection trusts, and what it shows.
type tlsFiles struct {
	name          string // of the other end: nats, redis
	ca, cert, key string
	config        *tls.Config // nil if nothing is given: the system's roots are trusted, and nothing is shown
}

func (t *tlsFiles) bind(s *settings, name string) {
	t.name = name
	s.text(&t.ca, name+"-ca", "", "PEM file with the CAs that the certificate must come from; else the system's")
	s.text(&t.cert, name+"-cert", "", "PEM file with the certificate to show")
	s.text(&t.key, name+"-key-file", "", "PEM file with its key, mode 0600")
	s.check(t.load)
}

func (t *tlsFiles) given() bool { return t.ca+t.cert+t.key != "" }

func (t *tlsFiles) load(terminal) error {
	if !t.given() {
		return nil
	}
	t.config = &tls.Config{MinVersion: tls.VersionTLS12}
	var err error
	if t.ca != "" {
		if t.config.RootCAs, err = readCA(t.ca); err != nil {
			return fmt.Errorf("--%s-ca %q: %w", t.name, t.ca, err)
		}
	}
	if t.cert+t.key == "" {
		return nil
	}
	t.config.Certificates, err = readCertificate(t.cert, t.key)
	if err != nil {
		return fmt.Errorf("--%s-cert %q, --%s-key-file %q: %w", t.name, t.cert, t.name, t.key, err)
	}
	return nil
}

func readCA(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("has no certificate in PEM format")
	}
	return pool, nil
}

func readCertificate(certFile, keyFile string) ([]tls.Certificate, error) {
	if certFile == "" || keyFile == "" {
		return nil, errors.New("a certificate and its key belong together: give both")
	}
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return nil, err
	}
	key, err := readPrivate(keyFile)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	return []tls.Certificate{pair}, err
}

// readPrivate reads a file that holds a secret, and refuses one that others can read.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("its mode is %04o, so others can read the secret: chmod 600 it", mode)
	}
	return os.ReadFile(path)
}
