package alibaba

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Config sets a Client up. Zero values take the default.
type Config struct {
	// Gateway is where the platform's gateway listens. Default "https://gw.open.1688.com".
	Gateway string
	// Timeout bounds one call from dialling to the last byte of its answer. Default 30 s.
	Timeout time.Duration
	// Connections is how many idle connections to the gateway are kept. Default 256.
	Connections int
	// Follow is told that a call of that API begins, and gives the context to make it under; what it returns is told how the call
	// ended. See Ended. May be nil.
	Follow func(ctx context.Context, api string) (context.Context, func(how string))
}

// DefaultGateway is the public address of the platform's gateway (official documentation).
const DefaultGateway = "https://gw.open.1688.com"

const (
	maxBody = 1 << 20 // bytes of an answer; a longer one is not read
	// idleFor is how long an unused connection is kept. A gateway that closes it just as an order is written to it leaves
	// an order of which nothing is known, so it is let go early.
	idleFor = 15 * time.Second
)

// Client calls the gateway. It is safe for concurrent use and holds no secret: each call brings its Credentials.
type Client struct {
	gateway string
	timeout time.Duration
	follow  func(ctx context.Context, api string) (context.Context, func(how string))
	http    *http.Client
	reach   *reach
}

// NewClient makes a client. It returns an error that names the setting if one is wrong.
func NewClient(config Config) (*Client, error) {
	gateway := strings.TrimRight(cmp.Or(config.Gateway, DefaultGateway), "/")
	u, err := url.Parse(gateway)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("gateway %q: must be a http or https address", config.Gateway)
	}
	if config.Timeout < 0 || config.Connections < 0 {
		return nil, fmt.Errorf("gateway timeout %v, connections %d: must not be negative", config.Timeout, config.Connections)
	}
	return &Client{
		gateway: gateway + "/openapi/",
		timeout: cmp.Or(config.Timeout, 30*time.Second),
		follow:  config.Follow,
		reach:   newReach(),
		http:    &http.Client{Transport: transport(cmp.Or(config.Connections, 256)), CheckRedirect: stay},
	}, nil
}

// transport speaks HTTP/1 only: its rules say exactly when a request is sent again (see call).
func transport(connections int) *http.Transport {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		Protocols:           &http1,
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		IdleConnTimeout:     idleFor,
		TLSHandshakeTimeout: 10 * time.Second,
		DisableCompression:  true,
	}
}

// stay keeps a redirect from sending an order, or a secret, a second time and elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close lets go of idle connections. Calls still running are not touched.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// response is an answer whose body was read to its end.
type response struct {
	status int
	body   []byte
}

// CallError is returned when a call got no answer.
type CallError struct {
	Sent bool // something may have reached the gateway; false means provably nothing did
	Err  error
}

// Error says how far the call got, and why it ended.
func (e *CallError) Error() string {
	if e.Sent {
		return "no answer from 1688's gateway: " + e.Err.Error()
	}
	return "1688's gateway cannot be reached: " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *CallError) Unwrap() error { return e.Err }

// call signs and posts one call of the param2 protocol, such as "1/com.alibaba.trade/alibaba.trade.fastCreateOrder". It
// returns a *CallError when nothing came back.
func (c *Client) call(ctx context.Context, cred Credentials, api string, params Params) (response, error) {
	path := "param2/" + api + "/" + cred.AppKey
	params = params.with("access_token", cred.AccessToken).
		with("_aop_timestamp", strconv.FormatInt(time.Now().UnixMilli(), 10))
	params = append(params, Param{signatureKey, Sign(cred.Secret, path, params)})
	return c.post(ctx, path, params)
}

// post sends a form once, see exchange, while somebody may follow it.
func (c *Client) post(ctx context.Context, path string, params Params) (response, error) {
	if c.follow == nil {
		return c.exchange(ctx, path, params)
	}
	ctx, ended := c.follow(ctx, apiOf(path))
	got, err := c.exchange(ctx, path, params)
	ended(how(got, err))
	return got, err
}

// exchange sends a form once and reads the whole answer, whatever its status.
//
// The transport takes a connection (GetConn, then GotConn) and writes to it. It goes back to GetConn only if nothing was
// written to a kept connection that turned out stale. So an attempt that ends between GetConn and GotConn provably sent
// nothing; from GotConn on, another goroutine may be writing.
func (c *Client) exchange(ctx context.Context, path string, params Params) (response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	sent := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { sent = false },
		GotConn: func(httptrace.GotConnInfo) { sent = true },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.gateway+path, strings.NewReader(params.encode()))
	if err != nil {
		return response{}, &CallError{Err: errors.New("the call's path is not an address")}
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	got, err := c.http.Do(request)
	if err != nil {
		return response{}, &CallError{Sent: sent, Err: withoutURL(err)}
	}
	defer got.Body.Close()
	body, err := io.ReadAll(io.LimitReader(got.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("its answer is longer than %d bytes", maxBody)
	}
	if err != nil {
		return response{}, &CallError{Sent: true, Err: err}
	}
	c.reach.answered()
	return response{status: got.StatusCode, body: body}, nil
}

func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
