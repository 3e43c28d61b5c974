package sim1688

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"
)

// messages is the message websocket: one session per connection.
type messages struct {
	books   *books
	courier *courier
	log     zerolog.Logger
}

const (
	frameLimit   = 64 << 10         // bytes, as the official client's
	idleLimit    = 90 * time.Second // three heartbeats; the platform's limit is not known
	writeLimit   = 5 * time.Second
	sessionQueue = 256 // frames waiting for a slow reader; what does not fit is sent again later
)

var upgrader = websocket.Upgrader{
	ReadBufferSize: 4 << 10, WriteBufferSize: 4 << 10, HandshakeTimeout: writeLimit,
	CheckOrigin: func(*http.Request) bool { return true },
}

func (m *messages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	s := &session{messages: m, conn: conn, out: make(chan []byte, sessionQueue)}
	s.run(r.Context())
}

// session is one connection. It belongs to a key from a good CONNECT on. The goroutine that runs it reads; one other writes.
type session struct {
	*messages
	conn   *websocket.Conn
	out    chan []byte
	appKey string // "" until CONNECT; the reader's own
	secret string
}

// run serves the connection until it fails, falls silent for idleLimit, or ctx ends.
func (s *session) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(ctx, func() { s.conn.Close() })() // also ends a write to a peer that does not read
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.write(ctx)
	}()
	s.read()
	if s.appKey != "" {
		s.courier.leave(s.appKey, s)
	}
	cancel()
	<-written
}

// write is the only writer, and closes the connection when it fails, which ends the reader too.
func (s *session) write(ctx context.Context) {
	defer s.conn.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case text := <-s.out:
			s.conn.SetWriteDeadline(time.Now().Add(writeLimit))
			if err := s.conn.WriteMessage(websocket.TextMessage, text); err != nil {
				s.log.Debug().Err(err).Msg("message session lost while writing")
				return
			}
		}
	}
}

func (s *session) read() {
	s.conn.SetReadLimit(frameLimit)
	for {
		s.conn.SetReadDeadline(time.Now().Add(idleLimit))
		_, text, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		var f frame
		if err := decode(text, &f); err != nil {
			s.offer(systemFrame("the frame cannot be read"))
			continue
		}
		if f.Type == "CLOSE" {
			return
		}
		s.handle(f)
	}
}

func (s *session) handle(f frame) {
	switch {
	case f.Type == "CONNECT":
		s.connect(f)
	case s.appKey == "":
		s.offer(systemFrame(f.Type + " before CONNECT"))
	case f.AppKey != s.appKey:
		s.offer(systemFrame("appKey is not the session's"))
	case f.Type == "HEARTBEAT":
		if !sameText(f.Sign, frameSign(s.secret, f)) {
			s.offer(systemFrame("sign of HEARTBEAT is invalid"))
		}
	case f.Type == "CONFIRM":
		s.confirm(f)
	default:
		s.offer(systemFrame("type is not supported"))
	}
}

// connect binds the session to its key; a CONNECT sent again is acknowledged again.
func (s *session) connect(f frame) {
	a := s.books.account(f.AppKey)
	switch {
	case a == nil || !sameText(f.Sign, frameSign(a.Secret, f)):
		s.offer(systemFrame("appKey and secret do not match"))
		return
	case !s.books.hearsMessages(a):
		s.offer(systemFrame("SIM: the app did not choose the websocket for its messages"))
	case s.appKey == "":
		s.appKey, s.secret = a.AppKey, a.Secret
		s.courier.join(s.appKey, s)
	case s.appKey == a.AppKey:
		s.offer(encode(serverFrame{Type: "CONNECT_ACK"}))
	default:
		s.offer(systemFrame("the session belongs to another appKey"))
	}
}

func (s *session) confirm(f frame) {
	id, found := f.related()
	if !found {
		s.offer(systemFrame("relatedId of CONFIRM cannot be read"))
		return
	}
	s.courier.confirm(s.appKey, id)
}

// offer hands a frame to the writer, or drops it if the reader at the other end is too slow.
func (s *session) offer(text []byte) {
	select {
	case s.out <- text:
	default:
		s.log.Debug().Msg("message session too slow, frame dropped")
	}
}
