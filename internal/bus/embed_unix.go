//go:build unix

package bus

import (
	"os"
	"syscall"
)

// lockFile takes the lock of a file without waiting; the system gives it free when the file is closed or the process ends.
func lockFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
