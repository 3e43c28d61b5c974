package address

import (
	"net"
	"strconv"
	"testing"
)

// TestAddressesAreGivenOnce and never one that a system would give to somebody else.
func TestAddressesAreGivenOnce(t *testing.T) {
	seen := map[string]bool{}
	for range 500 {
		address, err := Free()
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := net.SplitHostPort(address)
		if port, _ := strconv.Atoi(text); seen[address] || port < lowestPort || port > highestPort {
			t.Fatalf("%s, given before: %v", address, seen[address])
		}
		seen[address] = true
	}
}
