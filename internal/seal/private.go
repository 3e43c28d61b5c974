package seal

import (
	"fmt"
	"io"
	"os"
)

// ReadPrivate reads a file that holds secrets. It returns an error if the file is longer than so many bytes, or can be read by
// anybody but its owner.
func ReadPrivate(path string, longest int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s: its mode is %04o, so others can read what is secret: chmod 600 it", path, mode)
	}
	body, err := io.ReadAll(io.LimitReader(file, longest+1))
	if int64(len(body)) > longest {
		return nil, fmt.Errorf("%s: is larger than %d bytes", path, longest)
	}
	return body, err
}
