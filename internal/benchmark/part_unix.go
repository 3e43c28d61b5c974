//go:build unix

package benchmark

import "syscall"

func apartFromTerminal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
