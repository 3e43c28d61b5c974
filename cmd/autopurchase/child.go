package main

import (
	"os/exec"
	"runtime"
)

// startChild starts a process that ends when this one does, however this one ends, and that a terminal's Ctrl-C does not
// reach: it must outlive the worker that still settles into it. The channel closes when the child has ended; its ProcessState
// says how.
func startChild(child *exec.Cmd) (<-chan struct{}, error) {
	child.SysProcAttr = childAttributes()
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread() // Linux ends the child with the thread that started it, so this one has to stay
		defer runtime.UnlockOSThread()
		err := child.Start()
		started <- err
		if err == nil {
			_ = child.Wait() // ProcessState says it all
			close(ended)
		}
	}()
	return ended, <-started
}
