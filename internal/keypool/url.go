package keypool

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// CheckURL says what is wrong with the URL of a Redis. It never repeats it, nor a part of it: it may hold a password.
func CheckURL(text string) error {
	_, err := readURL(text)
	return err
}

// readURL gives the options of a single Redis (*redis.Options), of one behind Sentinels (*redis.FailoverOptions) or of a
// cluster (*redis.ClusterOptions). They are read by the client library, whose errors may repeat what it read.
func readURL(text string) (any, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	protocol, kind, found := strings.Cut(scheme, "-")
	switch {
	case scheme == "unix":
		kind = scheme
	case protocol != "redis" && protocol != "rediss", found && kind != "sentinel" && kind != "cluster":
		return nil, errors.New("must begin with redis://, redis-sentinel:// or redis-cluster://, or the same with rediss for TLS")
	}
	u, err := url.Parse(protocol + "://" + rest)
	if err != nil {
		return nil, errors.New("cannot be read: in a password, write each of / ? # % @ and : as %XX")
	}
	if err := errors.Join(checkHosts(u, kind), checkDatabase(u, kind), checkOptions(u, kind)); err != nil {
		return nil, err
	}
	options, err := parse(u.String(), kind)
	if err != nil {
		return nil, errors.New("an option after ? is unknown or has a wrong value")
	}
	return options, nil
}

func parse(text, kind string) (any, error) {
	switch kind {
	case "sentinel":
		return redis.ParseFailoverURL(text)
	case "cluster":
		return redis.ParseClusterURL(text)
	default:
		return redis.ParseURL(text)
	}
}

func checkHosts(u *url.URL, kind string) error {
	if u.Hostname() == "" && kind != "unix" {
		return errors.New("the host is missing")
	}
	for _, addr := range u.Query()["addr"] {
		if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" {
			return errors.New("each addr must be host:port")
		}
	}
	return nil
}

func checkDatabase(u *url.URL, kind string) error {
	database := strings.Trim(u.Path, "/")
	number, err := strconv.Atoi(database)
	switch {
	case database == "", kind == "unix":
		return nil
	case err != nil || number < 0:
		return errors.New("the database after the host must be a number")
	case kind == "cluster" && number != 0:
		return errors.New("a cluster has no database but 0")
	}
	return nil
}

// checkOptions refuses what would read counts from replicas, which are late.
func checkOptions(u *url.URL, kind string) error {
	query := u.Query()
	for _, option := range []string{"replica_only", "read_only", "route_by_latency", "route_randomly"} {
		if query.Has(option) {
			return fmt.Errorf("%s is not for counts: they are read from the primary only", option)
		}
	}
	if kind == "sentinel" && query.Get("master_name") == "" {
		return errors.New("master_name is missing: the name by which the Sentinels know the primary")
	}
	return nil
}

// options are those of the URL, as readURL gives them, with the password and the TLS that are configured beside it.
func (c Config) options() (any, error) {
	options, err := readURL(c.URL)
	if err != nil {
		return nil, err
	}
	switch o := options.(type) {
	case *redis.FailoverOptions:
		if o.SentinelUsername != "" && o.SentinelPassword == "" {
			o.SentinelPassword = c.Password
		}
		err = c.secure(&o.Password, &o.TLSConfig, true)
	case *redis.ClusterOptions:
		err = c.secure(&o.Password, &o.TLSConfig, true)
	case *redis.Options:
		err = c.secure(&o.Password, &o.TLSConfig, false)
	}
	return options, err
}

// secure puts in what stands beside the URL. Of several servers each must be the host that it is reached by, and not the one
// that the URL names first.
func (c Config) secure(password *string, config **tls.Config, several bool) error {
	switch {
	case c.Password != "" && *password != "":
		return errors.New("has a password, and there is one beside it: which one is it?")
	case c.TLS != nil && *config == nil:
		return errors.New("does not begin with rediss, and so has no use for CAs and certificates")
	}
	if c.Password != "" {
		*password = c.Password
	}
	if *config == nil {
		return nil
	}
	if several {
		(*config).ServerName = ""
	}
	if c.TLS != nil {
		(*config).RootCAs, (*config).Certificates = c.TLS.RootCAs, c.TLS.Certificates
	}
	return nil
}

// client makes the client of the configured Redis; a *redis.ClusterClient for a cluster.
func (c Config) client() (redis.UniversalClient, error) {
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	switch o := options.(type) {
	case *redis.FailoverOptions:
		return c.behindSentinels(o), nil
	case *redis.ClusterOptions:
		return c.cluster(o), nil
	default:
		return redis.NewClient(c.tuned(o.(*redis.Options))), nil
	}
}

// tuned are the options of a client whose repeats are ours alone: its own would run a script again behind our back.
func (c Config) tuned(o *redis.Options) *redis.Options {
	o.Protocol = 2
	o.DisableIdentity = true
	o.MaxRetries = -1
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.DialTimeout = c.CallTimeout
	o.ReadTimeout = c.CallTimeout
	o.WriteTimeout = c.CallTimeout
	o.PoolTimeout = c.CallTimeout
	o.PoolSize = c.Lanes + 6 // the lanes, and who administers or looks
	o.PipelinePoolSize = -1
	o.OnConnect = c.connected
	return o
}

func (c Config) connected(context.Context, *redis.Conn) error {
	c.OnConnect()
	return nil
}

// cluster is the client of a cluster. What it repeats by itself, since slots move, are looks and lists; steps go over a
// connection of one master's client.
func (c Config) cluster(o *redis.ClusterOptions) *redis.ClusterClient {
	o.NewClient = func(node *redis.Options) *redis.Client { return redis.NewClient(c.tuned(node)) }
	o.Protocol = 2
	o.ContextTimeoutEnabled = true
	o.ClusterStateReloadInterval = time.Second // a lost master is told by errors of its own only
	return redis.NewClusterClient(o)
}

// behindSentinels is the client of the primary that the Sentinels name. They have a quarter of a call's time to answer, so
// that there is time to ask another one, and the primary has all of it.
func (c Config) behindSentinels(o *redis.FailoverOptions) *redis.Client {
	tuned := c.tuned(&redis.Options{})
	o.Protocol, o.DisableIdentity, o.ContextTimeoutEnabled = tuned.Protocol, tuned.DisableIdentity, tuned.ContextTimeoutEnabled
	o.MaxRetries, o.DialerRetries = tuned.MaxRetries, tuned.DialerRetries
	o.DialTimeout, o.WriteTimeout, o.PoolTimeout = tuned.DialTimeout, tuned.WriteTimeout, tuned.PoolTimeout
	o.PoolSize, o.PipelinePoolSize, o.OnConnect = tuned.PoolSize, tuned.PipelinePoolSize, tuned.OnConnect
	o.ReadTimeout = c.CallTimeout / 4
	client := redis.NewFailoverClient(o)
	client.Options().ReadTimeout = c.CallTimeout
	return client
}
