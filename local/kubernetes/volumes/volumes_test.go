package volumes

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWatchOpensOldAndNewVolumes(t *testing.T) {
	root := t.TempDir()
	volume := func(name string) string {
		dir := filepath.Join(root, name)
		require.NoError(t, os.Mkdir(dir, 0o750))
		return dir
	}
	opened := func(dir string) func() bool {
		return func() bool {
			info, err := os.Stat(dir)
			return err == nil && info.Mode().Perm() == fs.FileMode(openMode)
		}
	}
	before := volume("before")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Watch(ctx, root) }()
	assert.Eventually(t, opened(before), 10*time.Second, 5*time.Millisecond)
	assert.Eventually(t, opened(volume("after")), 10*time.Second, 5*time.Millisecond)
	stop()
	assert.NoError(t, <-done)
}
