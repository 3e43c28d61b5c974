package schemas

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// FS holds the JSON Schemas and the AsyncAPI document as they are published.
//
//go:embed *.schema.json asyncapi.yaml
var FS embed.FS

// Base is the address in front of every schema's $id. It names them and is never fetched.
const Base = "https://autopurchase.local/schemas/"

const suffix = ".schema.json"

// Names lists the schemas: "channel-frame", "dead-letter", "request"…
func Names() []string {
	files, _ := fs.Glob(FS, "*"+suffix) // fails only on a malformed pattern
	for i, file := range files {
		files[i] = strings.TrimSuffix(file, suffix)
	}
	return files
}

// Schema gives the JSON Schema of that name. A name that is not in Names is an error that wraps fs.ErrNotExist.
func Schema(name string) ([]byte, error) {
	text, err := FS.ReadFile(name + suffix)
	if err != nil {
		return nil, fmt.Errorf("schema %q: %w", name, err)
	}
	return text, nil
}
