package benchmark

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/gorilla/websocket"
)

// caller multiplexes calls over one websocket: a number in front of each message, a map of who waits, one goroutine that
// writes and one that reads.
type caller struct {
	ask  []byte
	out  chan []byte
	gone chan struct{} // closed when the connection has ended

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan struct{}
}

// dial starts a peer that answers every ask with so many bytes, and connects to it.
func (r *Rig) dial(ctx context.Context, ask []byte, reply int) (*caller, error) {
	url, err := r.start(peerPart, strconv.Itoa(reply))
	if err != nil {
		return nil, err
	}
	dialer := websocket.DefaultDialer
	ws, _, err := dialer.DialContext(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	c := &caller{ask: ask, out: make(chan []byte, 256), gone: make(chan struct{}), waiting: map[uint64]chan struct{}{}}
	var both sync.WaitGroup
	both.Go(func() { c.write(ws) })
	both.Go(func() { c.read(ws) })
	r.undo.add(func(context.Context) error {
		_ = ws.Close()
		both.Wait()
		return nil
	})
	return c, nil
}

func peer(reply int) http.Handler {
	var upgrader websocket.Upgrader
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for answer := make([]byte, 8+reply); ; {
			_, ask, err := ws.ReadMessage()
			if err != nil || len(ask) < 8 {
				return
			}
			copy(answer, ask[:8])
			if ws.WriteMessage(websocket.BinaryMessage, answer) != nil {
				return
			}
		}
	})
}

var errGone = errors.New("the connection has ended")

func (c *caller) call() error {
	done := make(chan struct{}, 1)
	c.mu.Lock()
	c.last++
	id := c.last
	c.waiting[id] = done
	c.mu.Unlock()
	select {
	case c.out <- append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(c.ask)), id), c.ask...):
	case <-c.gone:
		return errGone
	}
	select {
	case <-done:
		return nil
	case <-c.gone:
		return errGone
	}
}

func (c *caller) write(ws *websocket.Conn) {
	for {
		select {
		case text := <-c.out:
			if ws.WriteMessage(websocket.BinaryMessage, text) != nil {
				return
			}
		case <-c.gone:
			return
		}
	}
}

func (c *caller) read(ws *websocket.Conn) {
	defer close(c.gone)
	for {
		_, text, err := ws.ReadMessage()
		if err != nil || len(text) < 8 {
			return
		}
		id := binary.BigEndian.Uint64(text)
		c.mu.Lock()
		done := c.waiting[id]
		delete(c.waiting, id)
		c.mu.Unlock()
		done <- struct{}{}
	}
}
