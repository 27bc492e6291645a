package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// errNoSource says that the program an image is made of is not in the tree.
var errNoSource = errors.New("no source")

const (
	// dataUser owns the data folder in the images of kvrocks and redis, as in the published images.
	dataUser = 999
	// nobodyUser runs what needs no files.
	nobodyUser = 65532

	operatorVersion       = "v0.1.0"
	metacontrollerVersion = "v4.17.2"
	kvrocksVersion        = "2.10.1"
	controllerVersion     = "1.2.0"

	defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

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

// definitions is the table of images. Names, users, folders and commands are those of the published images.
func (s *Store) definitions() []definition {
	return []definition{
		s.pause(),
		{
			name: "operator", tags: []string{"ghcr.io/kvrocks/kvrocks-operator:" + operatorVersion},
			files:  s.operatorFiles,
			config: v1.Config{User: "65532:65532", Env: []string{defaultPath}, Entrypoint: []string{"/hook-server"}},
		},
		{
			name: "metacontroller", tags: []string{"ghcr.io/metacontroller/metacontroller:" + metacontrollerVersion},
			files:  s.metacontrollerFiles,
			config: v1.Config{User: "nonroot:nonroot", Env: []string{defaultPath}, Cmd: []string{"/usr/bin/metacontroller"}},
		},
		{
			name: "kvrocks", tags: []string{"docker.io/apache/kvrocks:" + kvrocksVersion, "docker.io/apache/kvrocks:latest"},
			files: s.kvrocksFiles,
			config: v1.Config{
				User: "kvrocks", Env: []string{defaultPath}, Volumes: map[string]struct{}{"/var/lib/kvrocks": {}},
				Entrypoint: []string{
					"kvrocks", "-c", "/var/lib/kvrocks/kvrocks.conf", "--dir", "/var/lib/kvrocks",
					"--pidfile", "/var/run/kvrocks/kvrocks.pid", "--bind", "0.0.0.0",
				},
			},
		},
		{
			// One Debian version under both tags: the older operator's examples name the second.
			name: "redis", tags: []string{"docker.io/library/redis:7.0.15", "docker.io/library/redis:6.2.4"},
			files: redisFiles,
			config: v1.Config{
				Env: []string{defaultPath}, WorkingDir: "/data", Volumes: map[string]struct{}{"/data": {}},
				Cmd: []string{"redis-server"},
			},
		},
		{
			name: "kvrocks-controller", tags: []string{"docker.io/apache/kvrocks-controller:" + controllerVersion},
			files: s.controllerFiles,
			config: v1.Config{
				Env: []string{defaultPath}, WorkingDir: "/kvctl", Volumes: map[string]struct{}{"/var/lib/kvctl": {}},
				Entrypoint: []string{"./bin/kvctl-server", "-c", "/var/lib/kvctl/config.yaml"},
			},
		},
		{
			name: "etcd", tags: []string{"quay.io/coreos/etcd:" + s.tools.EtcdVersion()},
			files: s.etcdFiles,
			config: v1.Config{
				Env: []string{defaultPath}, WorkingDir: "/var/lib/etcd", Cmd: []string{"/usr/local/bin/etcd"},
			},
		},
	}
}

func (s *Store) pause() definition {
	return definition{
		name: "pause", tags: []string{s.PauseImage()},
		files:  s.pauseFiles,
		config: v1.Config{User: "65535:65535", Entrypoint: []string{"/pause"}},
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

func (s *Store) operatorFiles(ctx context.Context) ([]entry, error) {
	root := filepath.Dir(s.layout.Source)
	hookServer, err := s.goProgram(ctx, root, "server/cmd", operatorVersion)
	if err != nil {
		return nil, err
	}
	sidecar, err := s.goProgram(ctx, root, "sidecar/cmd", operatorVersion)
	if err != nil {
		return nil, err
	}
	return append(system("nonroot", nobodyUser),
		entry{path: "/hook-server", source: hookServer, mode: 0o755},
		entry{path: "/sidecar", source: sidecar, mode: 0o755},
	), nil
}

func (s *Store) metacontrollerFiles(ctx context.Context) ([]entry, error) {
	binary, err := s.standIn(ctx, "METACONTROLLER_BIN", "standin/metacontroller/cmd", metacontrollerVersion)
	if err != nil {
		return nil, err
	}
	program, err := executable(ctx, "/usr/bin/metacontroller", binary)
	if err != nil {
		return nil, err
	}
	return append(system("nonroot", nobodyUser), program...), nil
}

func (s *Store) kvrocksFiles(ctx context.Context) ([]entry, error) {
	binary, err := s.standIn(ctx, "KVROCKS_BIN", "standin/kvrocks/cmd", kvrocksVersion)
	if err != nil {
		return nil, err
	}
	program, err := executable(ctx, "/bin/kvrocks", binary)
	if err != nil {
		return nil, err
	}
	client, err := executable(ctx, "/usr/bin/redis-cli", "/usr/bin/redis-cli")
	if err != nil {
		return nil, err
	}
	tools, err := shell(ctx)
	if err != nil {
		return nil, err
	}
	return unique(slices.Concat(system("kvrocks", dataUser), program, client, tools, []entry{
		{path: "/var/lib/kvrocks", dir: true, mode: 0o755, uid: dataUser},
		{path: "/var/run/kvrocks", dir: true, mode: 0o755, uid: dataUser},
	})), nil
}

func redisFiles(ctx context.Context) ([]entry, error) {
	server, err := executable(ctx, "/usr/local/bin/redis-server", "/usr/bin/redis-server")
	if err != nil {
		return nil, err
	}
	client, err := executable(ctx, "/usr/local/bin/redis-cli", "/usr/bin/redis-cli")
	if err != nil {
		return nil, err
	}
	tools, err := shell(ctx)
	if err != nil {
		return nil, err
	}
	return unique(slices.Concat(system("redis", dataUser), server, client, tools, []entry{
		// The server is a sentinel when it is called by this name.
		{path: "/usr/local/bin/redis-sentinel", link: "redis-server"},
		{path: "/data", dir: true, mode: 0o755, uid: dataUser},
	})), nil
}

func (s *Store) controllerFiles(ctx context.Context) ([]entry, error) {
	binary, err := s.standIn(ctx, "KVROCKS_CONTROLLER_BIN", "standin/kvrocks-controller/cmd", controllerVersion)
	if err != nil {
		return nil, err
	}
	program, err := executable(ctx, "/kvctl/bin/kvctl-server", binary)
	if err != nil {
		return nil, err
	}
	tools, err := shell(ctx)
	if err != nil {
		return nil, err
	}
	return unique(slices.Concat(system("nonroot", nobodyUser), program, tools, []entry{
		{path: "/var/lib/kvctl", dir: true, mode: 0o755},
	})), nil
}

// etcdFiles is the etcd that the local cluster runs itself, without a shell, as in the published image.
func (s *Store) etcdFiles(ctx context.Context) ([]entry, error) {
	program, err := executable(ctx, "/usr/local/bin/etcd", s.tools.Path("etcd"))
	if err != nil {
		return nil, err
	}
	return slices.Concat(system("nonroot", nobodyUser), program, []entry{
		{path: "/var/lib/etcd", dir: true, mode: 0o755},
	}), nil
}

// unique keeps the first entry of each path: programs share libraries.
func unique(entries []entry) []entry {
	have := map[string]bool{}
	return slices.DeleteFunc(entries, func(e entry) bool {
		known := have[e.path]
		have[e.path] = true
		return known
	})
}
