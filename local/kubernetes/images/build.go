// Package images builds container images from scratch, from files of this machine, without Docker.
package images

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// entry is one file, folder or link of an image. Exactly one of source, data, link and dir is set.
type entry struct {
	// path is absolute in the image.
	path string
	// source is a file of this machine; links are followed.
	source string
	data   []byte
	link   string
	dir    bool
	mode   int64
	// uid is the owner and the owner's group; 0 is root.
	uid int
}

// build makes an image of one layer. Times are left out, so equal entries give equal images.
func build(entries []entry, config v1.Config) (v1.Image, error) {
	content, err := layerTar(entries)
	if err != nil {
		return nil, err
	}
	// Compressing would only cost time: the image never leaves this machine.
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}, tarball.WithCompressionLevel(gzip.NoCompression))
	if err != nil {
		return nil, fmt.Errorf("make the layer: %w", err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, fmt.Errorf("append the layer: %w", err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	file = file.DeepCopy()
	file.Architecture, file.OS, file.Config = architecture(), "linux", config
	image, err = mutate.ConfigFile(image, file)
	if err != nil {
		return nil, fmt.Errorf("set the configuration: %w", err)
	}
	return image, nil
}

// layerTar writes the entries, sorted, with the folders that they need.
func layerTar(entries []entry) ([]byte, error) {
	entries = withParents(entries)
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, e := range entries {
		if err := writeEntry(archive, e); err != nil {
			return nil, fmt.Errorf("add %s: %w", e.path, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("finish the layer: %w", err)
	}
	return buffer.Bytes(), nil
}

func writeEntry(archive *tar.Writer, e entry) error {
	header := &tar.Header{Name: strings.TrimPrefix(e.path, "/"), Mode: e.mode, Uid: e.uid, Gid: e.uid}
	data := e.data
	switch {
	case e.dir:
		header.Typeflag = tar.TypeDir
		header.Name += "/"
	case e.link != "":
		header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, e.link, 0o777
	case e.source != "":
		var err error
		if data, err = os.ReadFile(e.source); err != nil {
			return err
		}
		header.Typeflag = tar.TypeReg
	default:
		header.Typeflag = tar.TypeReg
	}
	header.Size = int64(len(data))
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err := archive.Write(data)
	return err
}

// withParents adds the folders that no entry names, and sorts.
func withParents(entries []entry) []entry {
	all := slices.Clone(entries)
	have := map[string]bool{"/": true}
	for _, e := range entries {
		have[e.path] = true
	}
	for _, e := range entries {
		for dir := path.Dir(e.path); !have[dir]; dir = path.Dir(dir) {
			have[dir] = true
			all = append(all, entry{path: dir, dir: true, mode: 0o755})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return all
}

// digestOf identifies an image by what goes into it, without building it.
func digestOf(entries []entry, config v1.Config, tags []string) (string, error) {
	hash := sha256.New()
	if err := json.NewEncoder(hash).Encode([]any{config, tags, architecture()}); err != nil {
		return "", fmt.Errorf("encode the configuration: %w", err)
	}
	for _, e := range entries {
		hash.Write(fmt.Appendf(nil, "%q %q %x %v %o %d\n", e.path, e.link, e.data, e.dir, e.mode, e.uid))
		if e.source == "" {
			continue
		}
		data, err := os.ReadFile(e.source)
		if err != nil {
			return "", err
		}
		hash.Write(data)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
