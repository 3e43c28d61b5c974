package alibaba

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// door is a gateway in memory that counts who knocks, and may be shut.
type door struct {
	knocks atomic.Int64
	shut   atomic.Bool
}

func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	d.knocks.Add(1)
	if d.shut.Load() {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	answer := httptest.NewRecorder()
	answer.WriteHeader(http.StatusNotFound)
	return answer.Result(), nil
}

// TestReachDoesNotHammer knocks once for all who ask within a while, not where calls are answered anyway, and soon sees that the
// gateway is back.
func TestReachDoesNotHammer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := NewClient(Config{})
		if err != nil {
			t.Fatal(err)
		}
		d := &door{}
		c.http.Transport = d
		asked := func(want int64, reached bool) {
			t.Helper()
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if err := c.Reach(t.Context()); (err == nil) != reached {
						t.Errorf("%v", err)
					}
				})
			}
			all.Wait()
			if got := d.knocks.Load(); got != want {
				t.Errorf("%d knocks, want %d", got, want)
			}
		}
		asked(1, true)
		<-time.After(reachFresh - time.Second)
		asked(1, true)
		<-time.After(2 * time.Second)
		d.shut.Store(true)
		asked(2, false)
		<-time.After(reachAgain - time.Second)
		asked(2, false)
		<-time.After(2 * time.Second)
		d.shut.Store(false)
		asked(3, true)
		<-time.After(reachFresh + time.Second)
		d.shut.Store(true)
		c.reach.answered() // to a call
		asked(3, true)
	})
}

// TestReachSaysWhy in words for people.
func TestReachSaysWhy(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c, err := NewClient(Config{Gateway: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Reach(t.Context())
	if call, ok := errors.AsType[*CallError](err); !ok || call.Sent {
		t.Errorf("%v", err)
	}
}
