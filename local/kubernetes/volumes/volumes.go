// Package volumes lets pods write their PersistentVolumes without being root.
//
// kube-controller-manager's host-path provisioner makes a folder with mode 0750 owned by root, and the kubelet does not
// apply fsGroup to host paths. A real storage driver would; here a watcher opens each new folder instead.
package volumes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// openMode lets any user of a pod write.
const openMode = 0o777

// Watch opens the folders in root, and those that appear, until the context ends.
func Watch(ctx context.Context, root string) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch volumes: %w", err)
	}
	defer func() { _ = watcher.Close() }()
	if err := watcher.Add(root); err != nil {
		return fmt.Errorf("watch volumes: %w", err)
	}
	// After the watch began, so that no folder is missed between.
	entries, err := os.ReadDir(root)
	if err != nil {
		return fmt.Errorf("list volumes: %w", err)
	}
	for _, entry := range entries {
		open(filepath.Join(root, entry.Name()))
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-watcher.Events:
			if event.Has(fsnotify.Create) {
				open(event.Name)
			}
		case err := <-watcher.Errors:
			return fmt.Errorf("watch volumes: %w", err)
		}
	}
}

func open(dir string) {
	if err := os.Chmod(dir, openMode); err != nil && !errors.Is(err, fs.ErrNotExist) {
		slog.Error("volume stays closed", "error", err)
	}
}
