package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/kvrocks/kvrocks-operator/sidecar/reconcile"
)

// version is set by the build; empty means what the module system knows.
var version string //nolint:gochecknoglobals // the linker writes it

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "sidecar:", err)
		stop()
		os.Exit(1)
	}
}

// run is the whole program, with what it takes from its surroundings.
func run(ctx context.Context, args []string, env func(string) (string, bool), out io.Writer) error {
	s, err := parse(args, env, out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case s.version:
		_, err := fmt.Fprintln(out, versionText())
		return err
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: s.level}))
	// What the Kubernetes libraries have to say goes the same way, one level lower.
	klog.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(out, &slog.HandlerOptions{Level: max(s.level, slog.LevelWarn)})))
	config, err := clusterConfig(s.kubeconfig)
	if err != nil {
		return err
	}
	log.Info("starting", "version", versionText(), "server", config.Host)
	return reconcile.Run(ctx, config, s.options, log)
}

// clusterConfig says how to reach the API server: the named kubeconfig, or else the pod's own service account.
func clusterConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("not in a cluster and neither --kubeconfig nor KUBECONFIG is set: %w", err)
		}
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	return config, nil
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
