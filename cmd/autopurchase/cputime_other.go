//go:build !unix

package main

import "time"

// cpuTime is not known here: nothing is said of a process's load.
func cpuTime() time.Duration { return 0 }
