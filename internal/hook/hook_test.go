package hook

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"autopurchase/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// token stands for what a webhook's URL gives away.
const token = "T0KEN-7f3a"

func low() worker.PoolEvent {
	return worker.PoolEvent{Pool: "default", Sequence: 7, Kind: worker.EventLow, Left: 87, Sealed: "c2VhbGVk", At: time.UnixMilli(1_790_000_000_123).UTC()}
}

// serve is a webhook that answers with a status.
func serve(t *testing.T, status int, seen func(*http.Request, []byte)) *Hook {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		seen(r, body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	h, err := New(" " + server.URL + "/hooks/" + token + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPost(t *testing.T) {
	posts := 0
	h := serve(t, http.StatusNoContent, func(r *http.Request, body []byte) {
		posts++
		if r.Method != http.MethodPost || r.URL.Path != "/hooks/"+token || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Idempotency-Key") != "default:7" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		var got struct {
			Text  string
			Event map[string]any
		}
		if err := json.Unmarshal(body, &got); err != nil || got.Text != "app key pool default: low, 87 products left: prepare a key" {
			t.Errorf("%s, %v", body, err)
		}
		if got.Event["kind"] != "low" || got.Event["left"] != float64(87) || got.Event["sealed"] != nil {
			t.Errorf("%v", got.Event)
		}
	})
	if err := h.Post(t.Context(), low()); err != nil || posts != 1 {
		t.Errorf("%d posts, %v", posts, err)
	}
}

func TestTell(t *testing.T) {
	posts := 0
	h := serve(t, http.StatusOK, func(r *http.Request, body []byte) {
		posts++
		var got struct {
			Text         string
			Event, Alarm map[string]any
		}
		if err := json.Unmarshal(body, &got); err != nil || got.Text != "relay is back after 4 min" || got.Event != nil || got.Alarm["state"] != "over" ||
			r.Header.Get("Idempotency-Key") != "alarm:relay:all:1790000000123000000" {
			t.Errorf("%s, %v, %v", body, r.Header, err)
		}
	})
	alarm := worker.Alarm{Kind: worker.AlarmRelay, What: worker.Everything, State: worker.AlarmOver, Text: "relay is back after 4 min", At: time.UnixMilli(1_790_000_000_123).UTC()}
	if err := h.Tell(t.Context(), alarm); err != nil || posts != 1 {
		t.Errorf("%d posts, %v", posts, err)
	}
}

func TestWhatIsNotTaken(t *testing.T) {
	for _, status := range []int{301, 307, 400, 401, 404, 429, 500, 503} {
		posts := 0
		h := serve(t, status, func(*http.Request, []byte) { posts++ })
		if err := h.Post(t.Context(), low()); err == nil || !strings.Contains(err.Error(), http.StatusText(status)) || strings.Contains(err.Error(), token) || posts != 1 {
			t.Errorf("%d: %d posts, %v", status, posts, err)
		}
	}
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	h, err := New("http://" + dead.Addr().String() + "/" + token)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Post(t.Context(), low()); err == nil || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), token) {
		t.Errorf("nobody listens: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Post(over, low()); err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("given up: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, text := range []string{"", "hooks.example.com/" + token, "ftp://hooks.example.com/" + token, "https:///" + token, "http://hooks.example.com/" + token, "https://a b/" + token} {
		if _, err := New(text); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"https://hooks.example.com/" + token, "http://localhost:1/x", "http://[::1]:1/x"} {
		if _, err := New(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestText(t *testing.T) {
	for want, event := range map[string]worker.PoolEvent{
		"app key pool p: no key has room, purchases wait: add a key":                                   {Kind: worker.EventExhausted},
		"app key pool p: key 1 is spent and no key waits to take over, 5 products left: prepare a key": {Kind: worker.EventSpent, AppKey: "1", Left: 5},
		"app key pool p: key 1 was taken out of use (unauthorized), 5 products left":                   {Kind: worker.EventBenched, AppKey: "1", Left: 5, Why: "unauthorized"},
		"app key pool p: tokens, key 1 (the authorization ends in 7 days)":                             {Kind: worker.EventTokens, AppKey: "1", Why: "the authorization ends in 7 days"},
		"app key pool p: rebuilt": {Kind: worker.EventRebuilt},
	} {
		event.Pool = "p"
		if got := Text(event); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
