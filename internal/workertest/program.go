package workertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Build builds the program into a file, with the Makefile's flags: what is tested is what people run, and what was compiled for it before is
// used again.
func Build(ctx context.Context, binary string) error {
	c := exec.CommandContext(ctx, "go", "build", "-tags=grpcnotrace", "-trimpath", "-o", binary, "autopurchase/cmd/autopurchase")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	return nil
}
