package images

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
)

// Store builds images into the cache folder and imports them into the cluster's containerd.
type Store struct {
	layout layout.Layout
	tools  Tools
}

// Tools says where the Kubernetes module's sources and the built programs are.
type Tools interface {
	PauseSource(ctx context.Context) (string, error)
	KubernetesVersion() string
	EtcdVersion() string
	Path(program string) string
}

// NewStore returns a store; it touches nothing.
func NewStore(l layout.Layout, tools Tools) *Store { return &Store{layout: l, tools: tools} }

// PauseImage is the name of the image that holds a pod's namespaces.
func (s *Store) PauseImage() string {
	return "localhost/kvrocks-local/pause:" + s.tools.KubernetesVersion()
}

// ImportPause builds and imports the pause image.
func (s *Store) ImportPause(ctx context.Context) error { return s.ensure(ctx, s.pause()) }

// Import builds and imports the named images of the table, or all. Those whose sources are not there are reported and
// left out.
func (s *Store) Import(ctx context.Context, names ...string) error {
	var errs []error
	for _, def := range s.definitions() {
		if len(names) > 0 && !slices.Contains(names, def.name) {
			continue
		}
		err := s.ensure(ctx, def)
		if errors.Is(err, errNoSource) {
			slog.Warn("image left out", "image", def.tags[0], "reason", err)
			continue
		}
		// The others may still be of use.
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ensure builds the image if its content changed and imports it if the cluster does not have that content.
func (s *Store) ensure(ctx context.Context, def definition) error {
	begin := time.Now()
	entries, err := def.files(ctx)
	if err != nil {
		return fmt.Errorf("collect the files of %s: %w", def.tags[0], err)
	}
	config := def.config
	digest, err := digestOf(entries, config, def.tags)
	if err != nil {
		return fmt.Errorf("digest the files of %s: %w", def.tags[0], err)
	}
	archive := filepath.Join(s.layout.Cache, "images", def.name+"-"+digest[:12]+".tar")
	if _, err := os.Stat(archive); err != nil {
		if err := s.write(archive, def, entries, config); err != nil {
			return err
		}
	}
	marker := filepath.Join(s.layout.State, "images", def.name)
	if imported, err := os.ReadFile(marker); err == nil && string(imported) == digest {
		return nil
	}
	if err := s.Load(ctx, archive); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(marker), 0o755); err != nil {
		return fmt.Errorf("remember the import of %s: %w", def.name, err)
	}
	if err := os.WriteFile(marker, []byte(digest), 0o644); err != nil {
		return fmt.Errorf("remember the import of %s: %w", def.name, err)
	}
	slog.Info("image imported", "tags", strings.Join(def.tags, " "), "seconds", fmt.Sprintf("%.1f", time.Since(begin).Seconds()))
	return nil
}

// write replaces older archives of the same image.
func (s *Store) write(archive string, def definition, entries []entry, config v1.Config) error {
	image, err := build(entries, config)
	if err != nil {
		return fmt.Errorf("build %s: %w", def.tags[0], err)
	}
	byTag := map[name.Tag]v1.Image{}
	for _, t := range def.tags {
		tag, err := name.NewTag(t)
		if err != nil {
			return fmt.Errorf("name the image %s: %w", t, err)
		}
		byTag[tag] = image
	}
	if err := os.MkdirAll(filepath.Dir(archive), 0o755); err != nil {
		return fmt.Errorf("create the folder of images: %w", err)
	}
	if err := tarball.MultiWriteToFile(archive+".part", byTag); err != nil {
		return fmt.Errorf("write %s: %w", archive, err)
	}
	older, _ := filepath.Glob(filepath.Join(filepath.Dir(archive), def.name+"-????????????.tar"))
	for _, file := range older {
		_ = os.Remove(file)
	}
	if err := os.Rename(archive+".part", archive); err != nil {
		return fmt.Errorf("write %s: %w", archive, err)
	}
	return nil
}

// Load imports an image archive (as docker save or an OCI tool writes it) into the cluster's containerd.
func (s *Store) Load(ctx context.Context, archive string) error {
	if _, err := os.Stat(s.layout.ContainerdSocket()); err != nil {
		return errors.New("the local cluster is not up: no containerd to import images into")
	}
	cmd := exec.CommandContext(ctx, "ctr", "--address", s.layout.ContainerdSocket(), "--namespace", "k8s.io",
		"images", "import", "--digests=false", archive)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("import %s: %w\n%s", archive, err, out)
	}
	return nil
}
