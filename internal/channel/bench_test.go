package channel

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"autopurchase/worker"
)

// callers shares b.N calls among so many goroutines.
func callers(b *testing.B, n int, call func()) {
	b.ReportAllocs()
	b.ResetTimer()
	work := make(chan struct{}, n)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for range work {
				call()
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func BenchmarkPlace(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			_, url := serve(b, ServerConfig{})
			w := dialOpen(b, ClientConfig{URL: url})
			o := order("acme.PR-1-1")
			callers(b, n, func() {
				if answer := *w.Place(b.Context(), &o); answer.Verdict != worker.Placed {
					b.Errorf("got %+v", answer)
				}
			})
		})
	}
}

// BenchmarkBareEcho is the yardstick: the same bytes both ways over the same library, one writer and one reader on each side,
// no ids, no JSON, no deadlines.
func BenchmarkBareEcho(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			o, a := order("acme.PR-1-1"), placed("acme.PR-1-1")
			ask, _ := appendAsk(nil, 1000, opPlace, "", 1767225600000, &o)
			reply, _ := appendReply(nil, 1000, &a)
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { echo(w, r, reply) }))
			defer web.Close()
			ws, _, err := websocket.DefaultDialer.Dial(wsURL(web), nil)
			if err != nil {
				b.Fatal(err)
			}
			defer ws.Close()
			callers(b, n, bareCaller(ws, ask))
		})
	}
}

func echo(w http.ResponseWriter, r *http.Request, reply []byte) {
	upgrader := websocket.Upgrader{}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	out := make(chan struct{}, 256)
	defer close(out)
	go func() {
		for range out {
			_ = ws.WriteMessage(websocket.TextMessage, reply)
		}
	}()
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return
		}
		out <- struct{}{}
	}
}

func bareCaller(ws *websocket.Conn, ask []byte) func() {
	out, waiting := make(chan chan struct{}, 256), make(chan chan struct{}, 512)
	go func() {
		for done := range out {
			waiting <- done
			if ws.WriteMessage(websocket.TextMessage, ask) != nil {
				return
			}
		}
	}()
	go func() {
		for {
			if _, _, err := ws.ReadMessage(); err != nil {
				close(out)
				return
			}
			(<-waiting) <- struct{}{}
		}
	}()
	return func() {
		done := make(chan struct{}, 1)
		out <- done
		<-done
	}
}
