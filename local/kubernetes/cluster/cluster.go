// Package cluster brings a single-node Kubernetes up and down on this machine.
//
// `up` is a list of steps, each of which looks at what is there and completes it, so that it starts a cluster, repairs
// one and confirms one in the same way. `down` needs no memory of what `up` did: it removes by name, path or owner.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/host"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/process"
)

// Programs says where the programs of the cluster are, and builds them.
type Programs interface {
	Path(name string) string
	Build(ctx context.Context) error
}

// Images imports images into the containerd that listens on the socket.
type Images interface {
	// ImportPause imports the image that every pod needs, and is quick if that has been done.
	ImportPause(ctx context.Context) error
	PauseImage() string
}

// Cluster is the one local cluster of this machine.
type Cluster struct {
	layout     layout.Layout
	tools      Programs
	images     Images
	pauseImage string
	processes  process.Table
	http       *http.Client
	out        io.Writer
	// self is a copy of this program, which also watches volumes: the original may be a temporary file of `go run`.
	self string
}

// New returns the cluster without touching it. Progress is written to out.
func New(l layout.Layout, tools Programs, images Images, out io.Writer) *Cluster {
	return &Cluster{
		layout: l, tools: tools, images: images, pauseImage: images.PauseImage(), out: out,
		self:      filepath.Join(l.State, "local"),
		http:      newHTTPClient(),
		processes: process.Table{PIDs: filepath.Join(l.Run, "pids"), Logs: l.Logs()},
	}
}

// Up starts, repairs or confirms the cluster.
func (c *Cluster) Up(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("the local cluster needs root (bridge, mounts, containers); " +
			"to use a cluster of yours instead, set KUBECONFIG")
	}
	unlock, err := host.Lock(c.layout.Lock())
	if err != nil {
		return err
	}
	defer unlock()

	begin := time.Now()
	if c.Healthy(ctx) {
		c.printf("the local cluster is running (checked in %s)\n", since(begin))
		return nil
	}
	for _, step := range c.steps() {
		if err := c.run(ctx, step); err != nil {
			return err
		}
	}
	c.printf("the local cluster is up after %s\n", since(begin))
	return nil
}

type step struct {
	name string
	do   func(context.Context) error
}

func (c *Cluster) steps() []step {
	return []step{
		{"distribution packages", func(ctx context.Context) error { _, err := host.InstallPackages(ctx); return err }},
		{"programs", c.tools.Build},
		{"configuration", c.configure},
		{"network", c.network},
		{"containerd and etcd", func(ctx context.Context) error { return c.start(ctx, c.containerd(), c.etcd()) }},
		{"API server", func(ctx context.Context) error { return c.start(ctx, c.apiServer()) }},
		{"cluster objects", c.applyObjects},
		{"pause image", c.images.ImportPause},
		{"controllers, scheduler", func(ctx context.Context) error { return c.start(ctx, c.controlPrograms()...) }},
		{"kubelet, proxy, DNS", func(ctx context.Context) error { return c.start(ctx, c.nodePrograms()...) }},
		{"node ready", c.awaitNode},
	}
}

func (c *Cluster) run(ctx context.Context, s step) error {
	begin := time.Now()
	if err := s.do(ctx); err != nil {
		c.printf("  %-24s failed after %s\n", s.name, since(begin))
		return fmt.Errorf("%s: %w", s.name, err)
	}
	c.printf("  %-24s %s\n", s.name, since(begin))
	return nil
}

// printf tells progress; an output that was closed does not stop the work.
func (c *Cluster) printf(format string, args ...any) { _, _ = fmt.Fprintf(c.out, format, args...) }

func since(begin time.Time) string { return fmt.Sprintf("%.1fs", time.Since(begin).Seconds()) }

func (c *Cluster) configure(context.Context) error {
	for _, dir := range []string{c.layout.State, c.layout.Run} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("create %s: %w", dir, err)
		}
	}
	return errors.Join(c.writeIdentities(), c.writeConfig(), c.copySelf(), c.linkVolumes())
}

func (c *Cluster) network(ctx context.Context) error {
	if len(c.processes.Names()) == 0 && !c.seen() && host.HasKubernetesRules(ctx) {
		return errors.New("packet-filter chains KUBE-* exist already: another Kubernetes seems to run on this machine " +
			"(if one of ours was not ended properly, run down)")
	}
	if err := host.SetSysctls(c.sysctlFile()); err != nil {
		return err
	}
	if err := host.EnsureBridge(); err != nil {
		return err
	}
	return host.ResetUnserved(ctx)
}

// seen says whether this cluster has already set up the network once.
func (c *Cluster) seen() bool {
	_, err := os.Stat(c.sysctlFile())
	return err == nil
}

func (c *Cluster) sysctlFile() string { return filepath.Join(c.layout.State, "sysctls-before.json") }

// start starts what does not run and waits until all are ready.
func (c *Cluster) start(ctx context.Context, components ...component) error {
	for _, comp := range components {
		if _, err := c.processes.Ensure(comp.Spec); err != nil {
			return err
		}
	}
	for _, comp := range components {
		if err := c.await(ctx, comp, time.Minute); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) applyObjects(ctx context.Context) error {
	_, err := c.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-f", c.configFile("objects.yaml"))
	return err
}

func (c *Cluster) awaitNode(ctx context.Context) error {
	// The kubelet registers the node a moment after it says that it is healthy.
	deadline := time.Now().Add(time.Minute)
	for {
		_, err := c.kubectl(ctx, "wait", "--for=condition=Ready", "node/"+layout.NodeName, "--timeout=60s")
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (c *Cluster) kubectl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.tools.Path("kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.layout.Kubeconfig())
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
