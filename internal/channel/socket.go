package channel

import (
	"bufio"
	"net"
	"net/http"
	"sync"
)

// socket is a connection whose writes can be held back for a moment and sent together: under load one system call then carries
// many frames. It is safe for concurrent use.
type socket struct {
	net.Conn
	mu   sync.Mutex
	held bool
	text []byte
}

// hold keeps what is written until flush, or until it is more than a buffer takes.
func (s *socket) hold() {
	s.mu.Lock()
	s.held = true
	s.mu.Unlock()
}

// flush sends what was held back, and holds nothing back any more.
func (s *socket) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = false
	return s.send()
}

// send empties the buffer. The mutex must be held.
func (s *socket) send() error {
	if len(s.text) == 0 {
		return nil
	}
	_, err := s.Conn.Write(s.text)
	s.text = s.text[:0]
	return err
}

// Write sends, or holds back, all of p. What was held back goes first.
func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held && len(s.text)+len(p) <= socketBuffer {
		s.text = append(s.text, p...)
		return len(p), nil
	}
	if err := s.send(); err != nil {
		return 0, err
	}
	return s.Conn.Write(p)
}

// hijacking hands an upgrader a socket in place of the connection.
type hijacking struct {
	http.ResponseWriter
	socket *socket
}

func (h *hijacking) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.socket.Conn = conn
	return h.socket, buffers, err
}
