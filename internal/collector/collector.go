// Package collector sets Go's garbage collector for processes whose work is purchases.
//
// Such a process keeps little and leaves much behind: with 64 orders at a time some 2 MiB live, and 18 kB of garbage for each purchase.
// By Go's default the collector then comes before 4 MiB are full, fifty times a second at full load, and takes a seventh of the
// process's own time. It comes half as often for some 5 MiB more. Where thousands of orders are under way they and their stacks are what the
// memory is full of, and by Go's default there may be as much of garbage again: of 4,096 orders at a time, the collector takes a tenth of
// the process's time then, and with a little less garbage hardly more.
package collector

import (
	"os"
	"runtime/debug"
)

const (
	few   = 256 // orders at a time that live on little memory
	rare  = 200 // percent of what lives that may be garbage before the collector comes, by Go's default 100
	often = 70
)

// Ease lets garbage lie longer in a process with so many orders at a time, if they are few. An operator's word goes first: where the
// variables GOGC or GOMEMLIMIT are set nothing is changed.
func Ease(orders int) {
	switch {
	case os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "":
	case orders <= few:
		debug.SetGCPercent(rare)
	default:
		debug.SetGCPercent(often)
	}
}
