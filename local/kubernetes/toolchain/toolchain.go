// Package toolchain builds the programs of the local cluster from the modules that local/go.mod pins, and keeps them
// in the cache folder by version.
package toolchain

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
)

const (
	kubernetesModule = "k8s.io/kubernetes"
	etcdModule       = "go.etcd.io/etcd/server/v3"
	corednsModule    = "github.com/coredns/coredns"
)

// program is one binary and the package of its main function, as `go build` in local/ understands it.
type program struct{ name, pkg string }

// programs are in the order in which they are needed and the slowest first.
func programs() []program {
	return []program{
		{"kube-apiserver", kubernetesModule + "/cmd/kube-apiserver"},
		{"etcd", etcdModule},
		{"kubectl", kubernetesModule + "/cmd/kubectl"},
		{"kube-controller-manager", kubernetesModule + "/cmd/kube-controller-manager"},
		{"kube-scheduler", kubernetesModule + "/cmd/kube-scheduler"},
		{"kubelet", kubernetesModule + "/cmd/kubelet"},
		{"kube-proxy", kubernetesModule + "/cmd/kube-proxy"},
		{"coredns", "./kubernetes/coredns"},
	}
}

// Toolchain finds and builds programs.
type Toolchain struct {
	source, cache, dir             string
	kubernetesVersion, etcdVersion string
	// assets is a folder with ready-made kube-apiserver, etcd and kubectl, or empty.
	assets string
}

// Open reads the pinned versions. Assets (KUBEBUILDER_ASSETS) may name a folder whose programs are used as they are.
func Open(source, cache, assets string) (*Toolchain, error) {
	path := filepath.Join(source, "go.mod")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the pinned versions: %w", err)
	}
	mod, err := modfile.Parse(path, data, nil)
	if err != nil {
		return nil, fmt.Errorf("parse the pinned versions: %w", err)
	}
	versions := map[string]string{}
	for _, r := range mod.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	for _, module := range []string{kubernetesModule, etcdModule, corednsModule} {
		if versions[module] == "" {
			return nil, fmt.Errorf("%s does not require %s", path, module)
		}
	}
	t := &Toolchain{
		source: source, cache: cache, assets: assets,
		kubernetesVersion: versions[kubernetesModule], etcdVersion: versions[etcdModule],
	}

	corednsMain, err := os.ReadFile(filepath.Join(source, "kubernetes", "coredns", "main.go"))
	if err != nil {
		return nil, fmt.Errorf("read the main function of CoreDNS: %w", err)
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%s %v %q %s", runtime.Version(), versions[etcdModule]+versions[corednsModule],
		t.ldflags(), corednsMain))
	t.dir = filepath.Join(cache, fmt.Sprintf("programs-%s-%x", t.kubernetesVersion, key[:4]))
	return t, nil
}

// Path is where the program is, or will be once Build has run.
func (t *Toolchain) Path(name string) string {
	if t.assets != "" {
		path := filepath.Join(t.assets, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return filepath.Join(t.dir, name)
}

// PauseSource is the source of the pause container's only process.
func (t *Toolchain) PauseSource(ctx context.Context) (string, error) {
	out, err := t.goCommand(ctx, "list", "-m", "-f", "{{.Dir}}", kubernetesModule)
	if err != nil {
		return "", err
	}
	return filepath.Join(strings.TrimSpace(out), "build", "pause", "linux", "pause.c"), nil
}

// KubernetesVersion is as in go.mod, for example v1.36.3.
func (t *Toolchain) KubernetesVersion() string { return t.kubernetesVersion }

// EtcdVersion is as in go.mod, for example v3.6.16.
func (t *Toolchain) EtcdVersion() string { return t.etcdVersion }

// Build builds the programs that are missing. The folder <cache>/bin then holds links to all.
func (t *Toolchain) Build(ctx context.Context) error {
	for _, p := range programs() {
		path := t.Path(p.name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		start := time.Now()
		slog.Info("building " + p.name + ", which may take minutes the first time")
		// Renamed into place when complete, so that what exists is whole.
		if _, err := t.goCommand(ctx, "build", "-ldflags", t.ldflags(), "-o", path+".part", p.pkg); err != nil {
			return err
		}
		if err := os.Rename(path+".part", path); err != nil {
			return fmt.Errorf("put %s into the cache: %w", p.name, err)
		}
		slog.Info("built "+p.name, "seconds", int(time.Since(start).Seconds()))
	}
	return t.link()
}

// link points <cache>/bin/<program> to the programs of this version, to be put into a PATH.
func (t *Toolchain) link() error {
	bin := filepath.Join(t.cache, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("create %s: %w", bin, err)
	}
	for _, p := range programs() {
		link, target := filepath.Join(bin, p.name), t.Path(p.name)
		if now, err := os.Readlink(link); err == nil && now == target {
			continue
		}
		if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("replace the link to %s: %w", p.name, err)
		}
		if err := os.Symlink(target, link); err != nil {
			return fmt.Errorf("link %s: %w", p.name, err)
		}
	}
	return nil
}

// ldflags give Kubernetes' programs their version: without it a node reports v0.0.0-master.
func (t *Toolchain) ldflags() string {
	const pkg = "k8s.io/component-base/version."
	parts := strings.Split(strings.TrimPrefix(t.kubernetesVersion, "v"), ".")
	return fmt.Sprintf("-s -w -X %[1]sgitVersion=%[2]s -X %[1]sgitMajor=%[3]s -X %[1]sgitMinor=%[4]s -X %[1]sgitTreeState=archive",
		pkg, t.kubernetesVersion, parts[0], parts[1])
}

func (t *Toolchain) goCommand(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = t.source
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}
