package main

import (
	"os/exec"
	"runtime"
)

// startChild starts a process that ends when this one does, however this one ends, and that a terminal's Ctrl-C does not
// reach: it must outlive the worker that still settles into it. The channel gives the child's end.
func startChild(child *exec.Cmd) (<-chan error, error) {
	child.SysProcAttr = childAttributes()
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // Linux ends the child with the thread that started it, so this one has to stay
		defer runtime.UnlockOSThread()
		err := child.Start()
		started <- err
		if err == nil {
			ended <- child.Wait()
			close(ended)
		}
	}()
	return ended, <-started
}
