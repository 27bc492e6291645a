// Command kubernetes runs a single-node Kubernetes on this machine, without Docker, for tests and demos of the operator.
//
//   - cluster: the steps that bring it up and down, and its programs.
//   - host: what they change on the machine: packages, the bridge, packet filters, kernel settings, what containers leave behind.
//   - process: programs that outlive their starter.
//   - toolchain: builds the programs from Go modules; coredns is the main function of one of them.
//   - pki: certificates and kubeconfigs.
//   - images: container images, built from this tree and imported.
//   - volumes: opens new PersistentVolumes.
//   - layout: the folders and addresses on which all of these agree.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/cluster"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/host"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/images"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/toolchain"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/volumes"
)

const usage = `usage: kubernetes <command>

  up                start the cluster, or repair it, or say that it runs
  down              end it and remove everything but the cache
  status            say how each program is
  images [name]...  build images (default: all) from the tree and import those that changed:
                    pause operator metacontroller kvrocks redis
                    kvrocks-controller etcd
  load-image <tar>  import an image archive
  build             build the programs of the cluster into the cache
  packages          install what is missing of the distribution's packages

With KUBECONFIG set to another cluster's, up, down and images leave everything alone.
`

func main() {
	flag.Usage = func() { _, _ = fmt.Fprint(flag.CommandLine.Output(), usage) }
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, flag.Args())
	stop()
	if errors.Is(err, errUsage) {
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

var (
	errUsage   = errors.New("usage")
	errNotWell = errors.New("the local cluster is not well")
)

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	command, args := args[0], args[1:]
	// Runs in the background without a source tree.
	if command == "watch-volumes" && len(args) == 1 {
		return volumes.Watch(ctx, args[0])
	}
	l, err := layout.New()
	if err != nil {
		return err
	}
	if command == "packages" && len(args) == 0 {
		installed, err := host.InstallPackages(ctx)
		if len(installed) > 0 {
			fmt.Println("installed", strings.Join(installed, " "))
		}
		return err
	}
	if foreign := os.Getenv("KUBECONFIG"); foreign != "" && foreign != l.Kubeconfig() && command != "build" {
		fmt.Printf("using the cluster of KUBECONFIG=%s; the local cluster is left alone\n", foreign)
		return nil
	}
	tools, err := toolchain.Open(l.Source, l.Cache, os.Getenv("KUBEBUILDER_ASSETS"))
	if err != nil {
		return err
	}
	store := images.NewStore(l, tools)
	c := cluster.New(l, tools, store, os.Stdout)
	switch {
	case command == "up" && len(args) == 0:
		return c.Up(ctx)
	case command == "down" && len(args) == 0:
		return c.Down(ctx)
	case command == "status" && len(args) == 0:
		if !c.Status(ctx) {
			return errNotWell
		}
		return nil
	case command == "images":
		return locked(l, func() error { return store.Import(ctx, args...) })
	case command == "load-image" && len(args) == 1:
		return store.Load(ctx, args[0])
	case command == "build" && len(args) == 0:
		return locked(l, func() error { return tools.Build(ctx) })
	default:
		return errUsage
	}
}

// locked keeps two commands from writing the cache at the same time.
func locked(l layout.Layout, do func() error) error {
	unlock, err := host.Lock(l.Lock())
	if err != nil {
		return err
	}
	defer unlock()
	return do()
}
