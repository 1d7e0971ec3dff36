package harness

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build compiles ./cmd/resetd into dir as it is shipped (no cgo, stripped) and gives the path. Tags are build tags.
func Build(ctx context.Context, dir string, tags ...string) (string, error) {
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "resetd")
	cmd := exec.CommandContext(ctx, "sh", "deploy/build.sh", out, strings.Join(tags, ","))
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build resetd: %w\n%s", err, text)
	}
	return out, nil
}

// Root gives the top folder of the module that the working directory belongs to.
func Root(ctx context.Context) (string, error) {
	text, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(text))), nil
}
