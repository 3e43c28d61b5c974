package channel

import (
	"net"
	"testing"
	"time"
)

// TestCloseDoesNotWaitForASilentRelay: somebody takes the connection and never answers the handshake, as a frozen relay does.
func TestCloseDoesNotWaitForASilentRelay(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	client := Dial(t.Context(), ClientConfig{URL: "ws://" + silent.Addr().String() + "/channel", PingEvery: time.Hour})
	conn, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	closed := make(chan error, 1)
	go func() { closed <- client.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Close waits for the handshake")
	}
}
