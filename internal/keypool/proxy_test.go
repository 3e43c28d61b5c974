package keypool

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between a pool and its Redis and can do to replies what networks do.
type proxy struct {
	url     string
	target  atomic.Value // string: where new connections go
	swallow atomic.Int64 // how many more replies vanish, each with its connection
	silent  atomic.Bool  // replies vanish, connections stay
	opened  atomic.Int64
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{url: "redis://" + listener.Addr().String()}
	p.target.Store(target)
	var group sync.WaitGroup
	var mutex sync.Mutex
	var open []net.Conn
	group.Go(func() {
		for {
			down, err := listener.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", p.target.Load().(string))
			if err != nil {
				_ = down.Close()
				continue
			}
			p.opened.Add(1)
			mutex.Lock()
			open = append(open, down, up)
			mutex.Unlock()
			group.Go(func() { p.up(up, down) })
			group.Go(func() { p.down(down, up) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mutex.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mutex.Unlock()
		group.Wait()
	})
	return p
}

func (p *proxy) up(server, client net.Conn) {
	_, _ = io.Copy(server, client)
	_ = server.Close()
}

func (p *proxy) down(client, server net.Conn) {
	defer client.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		if p.silent.Load() {
			continue
		}
		if p.swallow.Add(-1) >= 0 {
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}
