// Package hook tells a person what the queue and its pools of app keys need: it posts alarms to a webhook, such as a chat's or a
// pager's.
//
//	keypool.event.<pool>.<kind> ─► durable consumer ─► POST {"text": …, "event": …} ─► a person
//	purchase.alarm.<kind>.<what> ─►      ▲             POST {"text": …, "alarm": …}
//	                                     │                  │ taken: acknowledged
//	                                     └──────────────────┘ not taken: once more, after a growing pause
//
// The pauses, and that each event is told once however many workers run, are the consumer's; this package makes one attempt. An
// event may be posted again if its acknowledgement was lost, and then under the same Idempotency-Key, so that the receiver can
// tell.
//
//	answer 2xx                          told
//	any other answer, a redirection     not told: a receiver that is set up wrongly today may be right tomorrow
//	no answer within 10 s               not told, though the receiver may have it
//
// The URL may hold a token, so it comes from a file, goes to no other host, and is in no error.
package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"autopurchase/worker"
)

// timeout bounds one attempt.
const timeout = 10 * time.Second

// Hook posts to one webhook. It is safe for concurrent use.
type Hook struct {
	url    string
	client *http.Client
}

// New makes a hook of a webhook's URL, with blanks around it. It returns an error, which does not repeat the URL, unless it begins
// with https://, or with http:// on loopback.
func New(text string) (*Hook, error) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("holds no URL that begins with https://")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, errors.New("holds a URL without TLS to an address that is not loopback: its token could be read on the way")
	}
	return &Hook{url: text, client: &http.Client{
		Timeout:       timeout,
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}, // alarms are rare
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// message is what is posted. Chats show text; programs read the event or the alarm.
type message struct {
	Text  string            `json:"text"`
	Event *worker.PoolEvent `json:"event,omitempty"`
	Alarm *worker.Alarm     `json:"alarm,omitempty"`
}

// Post tells an event. An error says that it is not known to be told; it never has the URL.
func (h *Hook) Post(ctx context.Context, event worker.PoolEvent) error {
	event.Sealed = "" // nobody who is told has a use for it
	return h.post(ctx, message{Text: Text(event), Event: &event}, fmt.Sprintf("%s:%d", event.Pool, event.Sequence))
}

// Tell tells an alarm, as Post does an event.
func (h *Hook) Tell(ctx context.Context, alarm worker.Alarm) error {
	return h.post(ctx, message{Text: alarm.Text, Alarm: &alarm}, fmt.Sprintf("alarm:%s:%s:%d", alarm.Kind, alarm.What, alarm.At.UnixNano()))
}

// post posts a message once. The receiver knows a repeat by its key.
func (h *Hook) post(ctx context.Context, m message, key string) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the webhook's URL cannot be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "autopurchase")
	request.Header.Set("Idempotency-Key", key)
	response, err := h.client.Do(request)
	if err != nil {
		return fmt.Errorf("post to the webhook: %w", withoutURL(err))
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("the webhook answered %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	return nil
}

// withoutURL takes off what the HTTP client puts around an error: the URL.
func withoutURL(err error) error {
	if around, ok := errors.AsType[*url.Error](err); ok {
		return around.Err
	}
	return err
}
