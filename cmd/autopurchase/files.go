package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"autopurchase/internal/seal"
)

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

// maxPrivate is how long a file with a seed, a password or a key may be, in bytes.
const maxPrivate = 1 << 20

// readPrivate reads a file that holds a secret, and refuses one that others can read.
func readPrivate(path string) ([]byte, error) { return seal.ReadPrivate(path, maxPrivate) }
