//go:build !unix

package bus

import "os"

// lockFile does nothing: here the caller must see to it that one process uses a folder.
func lockFile(*os.File) error { return nil }
