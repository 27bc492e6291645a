// Command kvrocks-controller is the stand-in server, with the real program's command line:
//
//	kvctl-server -c config.yaml
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/api"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/config"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/node"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/probe"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/store"
)

// version is set by the linker.
var version = "unknown"

func main() {
	path := flag.String("c", "config/config.yaml", "set config yaml file path")
	flag.Parse()
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	log.Info("the stand-in for kvrocks-controller starts", "version", version)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	cfg, err := config.Load(*path, os.Getenv)
	if err != nil {
		// The real program exits with 0, so this one does.
		log.Error("bad configuration", "error", err)
		return
	}
	if err := run(ctx, cfg, log); err != nil {
		log.Error("ended", "error", err)
		stop()
		os.Exit(2)
	}
}

func run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	etcd, err := clientv3.New(clientv3.Config{
		Endpoints: cfg.Etcd.Addrs, DialTimeout: 5 * time.Second, Logger: zap.NewNop(),
	})
	if err != nil {
		return fmt.Errorf("connect to etcd: %w", err)
	}
	defer func() { _ = etcd.Close() }()
	records, nodes := store.New(etcd), node.NewPool()
	// The address is what a follower finds the leader by.
	election := store.NewElection(etcd, cfg.Etcd.ElectPath, strings.ToLower(rand.Text()[:8])+"/"+cfg.Addr, log)
	go election.Run(ctx)
	checks := probe.New(records, nodes, election, cfg.Controller.Failover, log)
	done := make(chan struct{})
	go func() {
		defer close(done)
		checks.Run(ctx)
	}()
	if !awaitLeader(ctx, election) {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("/", api.New(records, nodes, election))
	mux.Handle("GET /metrics", promhttp.Handler())
	err = serve(ctx, cfg.Addr, mux)
	<-done
	return err
}

// awaitLeader waits until etcd answers and a process leads: the port is closed until then.
func awaitLeader(ctx context.Context, election *store.Election) bool {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for election.Leader() == "" {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}

func serve(ctx context.Context, addr string, handler http.Handler) error {
	server := &http.Server{Addr: addr, Handler: handler, ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the API: %w", err)
	case <-ctx.Done():
	}
	graceful, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := server.Shutdown(graceful); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("shut the API down: %w", err)
	}
	return nil
}
