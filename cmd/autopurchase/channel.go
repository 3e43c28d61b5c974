package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
)

// channelToken is what workers show to a relay. It comes from a file or from the environment, never from the command line.
type channelToken struct {
	file string
	text string
}

func (c *channelToken) bind(s *settings) {
	s.text(&c.file, "channel-token-file", "", "file with the channel's token; else the variable AUTOPURCHASE_CHANNEL_TOKEN")
	s.check(c.load)
}

func (c *channelToken) load(term terminal) error {
	if c.file == "" {
		c.text, _ = term.env("AUTOPURCHASE_CHANNEL_TOKEN")
		return nil
	}
	body, err := os.ReadFile(c.file)
	if err != nil {
		return fmt.Errorf("--channel-token-file %q: %w", c.file, err)
	}
	c.text = strings.TrimSpace(string(body))
	return nil
}

// channelSettings are the worker's end of the channel.
type channelSettings struct {
	url    string
	token  channelToken
	ca     string
	plain  bool
	config *tls.Config // nil trusts the system's roots
}

func (c *channelSettings) bind(s *settings) {
	s.text(&c.url, "channel", "ws://127.0.0.1:7700/channel", "URL of a relay's channel, or of several relays' with commas between them: one is used, and the next when it is lost", urls("ws", "wss"))
	c.token.bind(s)
	s.text(&c.ca, "channel-ca", "", "PEM file with the CAs that a relay's certificate must come from; else the system's")
	s.flag(&c.plain, "channel-insecure", "allow a channel without TLS to an address that is not loopback, in a private network")
	s.check(c.load)
}

func (c *channelSettings) load(terminal) error {
	if c.ca != "" {
		roots, err := readCA(c.ca)
		if err != nil {
			return fmt.Errorf("--channel-ca %q: %w", c.ca, err)
		}
		c.config = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	}
	return c.exposed()
}

// exposed refuses a channel on which others on the network could read along, and a CA that nobody is asked to show.
func (c *channelSettings) exposed() error {
	for address := range strings.SplitSeq(c.url, ",") {
		u, _ := url.Parse(strings.TrimSpace(address)) // it was checked before
		switch {
		case u.Scheme == "wss":
		case c.ca != "":
			return fmt.Errorf("--channel %q: is without TLS, although there is a --channel-ca: use wss://", address)
		case !loopback(u.Hostname()) && !c.plain:
			return fmt.Errorf("--channel %q: sends orders and the token in the clear: use wss://, or give --channel-insecure in a private network", address)
		}
	}
	return nil
}

// doorSettings are the relay's end of the channel.
type doorSettings struct {
	address   string
	token     channelToken
	cert, key string
	plain     bool
	config    *tls.Config // nil serves without TLS
}

func (d *doorSettings) bind(s *settings) {
	s.text(&d.address, "listen", "127.0.0.1:7700", "where workers connect", anAddress)
	d.token.bind(s)
	s.text(&d.cert, "tls-cert", "", "PEM file with the certificate, and those between it and its CA, to serve the channel with TLS (wss://)")
	s.text(&d.key, "tls-key", "", "PEM file with its key, mode 0600")
	s.flag(&d.plain, "channel-insecure", "allow a channel without TLS on an address that is not loopback, such as a private network of containers")
	s.check(d.load)
}

func (d *doorSettings) load(terminal) error {
	if d.cert+d.key != "" {
		certificates, err := readCertificate(d.cert, d.key)
		if err != nil {
			return fmt.Errorf("--tls-cert %q, --tls-key %q: %w", d.cert, d.key, err)
		}
		d.config = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certificates, NextProtos: []string{"http/1.1"}} // HTTP/2 has no websockets here
	}
	return d.exposed()
}

// exposed refuses a channel that others on the network could order through, or read along on.
func (d *doorSettings) exposed() error {
	host, _, _ := net.SplitHostPort(d.address)
	switch {
	case loopback(host):
		return nil
	case d.token.text == "":
		return fmt.Errorf("--listen %q: is not loopback, so the channel needs a token: --channel-token-file", d.address)
	case d.config == nil && !d.plain:
		return fmt.Errorf("--listen %q: is not loopback and the channel has no TLS: give --tls-cert and --tls-key, or put a TLS proxy in front and listen on 127.0.0.1, or give --channel-insecure in a private network", d.address)
	}
	return nil
}

func (d *doorSettings) scheme() string {
	if d.config != nil {
		return "wss://"
	}
	return "ws://"
}

// loopback says whether a host can only be this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
