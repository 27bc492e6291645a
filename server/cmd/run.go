package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/kvrocks/kvrocks-operator/server"
)

// run serves until the context ends, and then stops: first /readyz fails, then, after the drain delay, the listener
// closes, and running calls have the grace time to end.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), out, logs io.Writer) error {
	c, err := parse(args, lookup, out)
	if err != nil {
		return err
	}
	if c.version {
		_, err := fmt.Fprintln(out, version)
		return err
	}
	log := newLog(c, logs)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.listen, err)
	}
	if c.tlsCert != "" {
		pair, err := newKeyPair(c.tlsCert, c.tlsKey, log)
		if err != nil {
			_ = listener.Close()
			return err
		}
		listener = tls.NewListener(listener, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get})
	}
	token, err := newTokenFile(c.tokenFile, log)
	if err != nil {
		_ = listener.Close()
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	ready := new(atomic.Bool)
	ready.Store(true)
	return serve(ctx, listener, &http.Server{
		Handler: server.NewHandler(server.Options{
			Log: log, MaxBody: c.maxBody, Token: token, Ready: ready, Registry: registry,
			Namespaces: c.namespaces, OperatorNamespace: c.operatorNamespace,
		}),
		ReadHeaderTimeout: c.timeout, ReadTimeout: c.timeout, WriteTimeout: 2 * c.timeout, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}, c, ready, log)
}

func serve(ctx context.Context, l net.Listener, s *http.Server, c config, ready *atomic.Bool, log *slog.Logger) error {
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	log.Info("serving hooks", "address", l.Addr().String(), "tls", c.tlsCert != "", "version", version)
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	log.Info("stopping", "drain", c.drain, "grace", c.grace)
	ready.Store(false)
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-time.After(c.drain):
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.grace)
	defer cancel()
	if err := s.Shutdown(stop); err != nil {
		return fmt.Errorf("stop: calls were still running after %s: %w", c.grace, err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func newLog(c config, out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.logLevel}
	if c.logFormat == "text" {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}
