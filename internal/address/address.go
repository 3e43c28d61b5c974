// Package address chooses addresses on this machine for servers that tests and chaos start, stop and start again: one that the
// system gives out by itself might be another's by then.
package address

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports below those that systems give out by themselves (from 32768 on Linux, from 49152 elsewhere): nobody is given one of these
// by chance before its owner listens, or while that is being started again.
const lowestPort, highestPort = 20000, 32767

var given sync.Map // ports by number

// Free gives a loopback address on which nobody listens, and each only once.
func Free() (string, error) {
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort+1)
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return "", err
		}
		if _, before := given.LoadOrStore(port, true); !before {
			return address, nil
		}
	}
	return "", fmt.Errorf("no free port from %d to %d", lowestPort, highestPort)
}
