package images

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sampleEntries(t *testing.T) []entry {
	t.Helper()
	source := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(source, []byte("binary"), 0o600))
	return []entry{
		{path: "/usr/bin/program", source: source, mode: 0o755},
		{path: "/bin/sh", link: "/bin/busybox"},
		{path: "/data", dir: true, mode: 0o755, uid: 999},
		{path: "/etc/passwd", data: []byte("root"), mode: 0o644},
	}
}

func TestLayerHoldsEntriesInOrderWithTheirFolders(t *testing.T) {
	content, err := layerTar(sampleEntries(t))
	require.NoError(t, err)

	var headers []string
	owners := map[string]int{}
	for archive := tar.NewReader(bytes.NewReader(content)); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		headers = append(headers, header.FileInfo().Mode().String()+" "+header.Name+" "+header.Linkname)
		owners[header.Name] = header.Uid
		assert.LessOrEqual(t, header.ModTime.Unix(), int64(0), "a time in %s", header.Name)
	}
	assert.Equal(t, []string{
		"drwxr-xr-x bin/ ", "Lrwxrwxrwx bin/sh /bin/busybox", "drwxr-xr-x data/ ", "drwxr-xr-x etc/ ",
		"-rw-r--r-- etc/passwd ", "drwxr-xr-x usr/ ", "drwxr-xr-x usr/bin/ ", "-rwxr-xr-x usr/bin/program ",
	}, headers)
	assert.Equal(t, 999, owners["data/"])
}

func TestEqualContentGivesAnEqualImage(t *testing.T) {
	entries := sampleEntries(t)
	config := v1.Config{User: "999"}
	first, err := build(entries, config)
	require.NoError(t, err)
	second, err := build(entries, config)
	require.NoError(t, err)
	one, err := first.Digest()
	require.NoError(t, err)
	two, err := second.Digest()
	require.NoError(t, err)
	assert.Equal(t, one, two)
}

func TestDigestChangesWithWhatAnImageIsMadeOf(t *testing.T) {
	entries, config, tags := sampleEntries(t), v1.Config{User: "999"}, []string{"a:1"}
	want, err := digestOf(entries, config, tags)
	require.NoError(t, err)

	changes := map[string]func(entries []entry, config *v1.Config, tags []string){
		"a program": func(e []entry, _ *v1.Config, _ []string) {
			assert.NoError(t, os.WriteFile(e[0].source, []byte("x"), 0o600))
		},
		"a link":            func(e []entry, _ *v1.Config, _ []string) { e[1].link = "/bin/bash" },
		"an owner":          func(e []entry, _ *v1.Config, _ []string) { e[2].uid = 0 },
		"a text":            func(e []entry, _ *v1.Config, _ []string) { e[3].data = []byte("x") },
		"a mode":            func(e []entry, _ *v1.Config, _ []string) { e[3].mode = 0o600 },
		"the configuration": func(_ []entry, c *v1.Config, _ []string) { c.User = "0" },
		"a tag":             func(_ []entry, _ *v1.Config, tags []string) { tags[0] = "a:2" },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			entries, config, tags := sampleEntries(t), config, []string{"a:1"}
			change(entries, &config, tags)
			got, err := digestOf(entries, config, tags)
			require.NoError(t, err)
			assert.NotEqual(t, want, got)
		})
	}
	t.Run("and not with the place of a program on this machine", func(t *testing.T) {
		got, err := digestOf(sampleEntries(t), config, tags)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	})
}

func TestExecutableBringsItsLibrariesAndLoader(t *testing.T) {
	entries, err := executable(t.Context(), "/bin/program", "/bin/sh")
	require.NoError(t, err)
	assert.Equal(t, "/bin/program", entries[0].path)
	var paths []string
	for _, e := range entries {
		assert.FileExists(t, e.source)
		paths = append(paths, filepath.Base(e.path))
	}
	assert.Contains(t, paths, "libc.so.6")
	assert.Len(t, paths, 3, "the program, the C library and the loader: %v", paths)
}
