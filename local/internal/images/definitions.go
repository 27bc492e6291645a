package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// errNoSource says that the program an image is made of is not in the tree (yet).
var errNoSource = errors.New("no source")

// dataUser owns the data folder in the images of kvrocks and redis, as in the published images.
const dataUser = 999

// definition is one row of the table of images.
type definition struct {
	// name is short and unique; it names files in the cache.
	name string
	tags []string
	// files collects the content, building programs where needed.
	files  func(context.Context) ([]entry, error)
	config v1.Config
}

func architecture() string { return runtime.GOARCH }

func (s *Store) pause() definition {
	return definition{
		name: "pause", tags: []string{s.PauseImage()},
		files:  s.pauseFiles,
		config: v1.Config{User: "65535:65535", Entrypoint: []string{"/pause"}},
	}
}

func (s *Store) definitions() []definition {
	return []definition{
		s.pause(),
	}
}

// pauseFiles compiles the program that Kubernetes ships as C source.
func (s *Store) pauseFiles(ctx context.Context) ([]entry, error) {
	binary := filepath.Join(s.layout.Cache, "built", "pause-"+s.tools.KubernetesVersion())
	if _, err := os.Stat(binary); err != nil {
		source, err := s.tools.PauseSource(ctx)
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
			return nil, fmt.Errorf("create the folder of built programs: %w", err)
		}
		version := "-DVERSION=" + s.tools.KubernetesVersion()
		out, err := exec.CommandContext(ctx, "gcc", "-Os", "-static", version, "-o", binary, source).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("compile %s: %w\n%s", source, err, out)
		}
	}
	return []entry{{path: "/pause", source: binary, mode: 0o755}}, nil
}
