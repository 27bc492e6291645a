package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// options are the flags of Metacontroller 4.17 with its names and defaults.
type options struct {
	kubeconfig string

	metricsAddress, healthAddress string

	workers       int
	qps           float64
	burst         int
	resync        time.Duration
	eventsQPS     float64
	eventsBurst   int
	targets       labels.Selector
	logLevel      slog.Level
	election      bool
	electionSpace string
	electionID    string
}

// parse reads the flags. A flag that the stand-in knows and cannot honour is an
// error, and so is one that the real program does not have; those that make no
// difference here are accepted.
func parse(args []string, stderr io.Writer) (options, error) {
	o := options{targets: labels.Everything(), logLevel: slog.LevelInfo}
	flags := flag.NewFlagSet("metacontroller", flag.ContinueOnError)
	flags.SetOutput(stderr)

	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig file; else $KUBECONFIG, else the Pod's service account")
	flags.StringVar(&o.metricsAddress, "metrics-address", ":9999", "where to serve /metrics; 0 for nowhere")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "where to serve /healthz and /readyz; 0 for nowhere")
	flags.IntVar(&o.workers, "workers", 5, "parents of one controller that are synced at the same time")
	flags.Float64Var(&o.qps, "client-go-qps", 5, "requests per second to the API server")
	flags.IntVar(&o.burst, "client-go-burst", 10, "requests to the API server in a burst")
	flags.DurationVar(&o.resync, "cache-flush-interval", 30*time.Minute, "how often every parent is synced without a reason")
	flags.Float64Var(&o.eventsQPS, "events-qps", 1./300, "events per second and object")
	flags.IntVar(&o.eventsBurst, "events-burst", 25, "events of one object in a burst")
	flags.BoolVar(&o.election, "leader-election", false, "elect a leader; only it works")
	flags.StringVar(&o.electionSpace, "leader-election-namespace", "", "namespace of the leader election Lease; else the Pod's")
	flags.StringVar(&o.electionID, "leader-election-id", "metacontroller", "name of the leader election Lease")

	flags.Func("target-label-selector", "labels of the CompositeControllers to run; all if empty", func(text string) (err error) {
		o.targets, err = labels.Parse(text)
		return err
	})
	flags.Func("zap-log-level", "debug, info, error, or a number above 0 for debug", func(text string) (err error) {
		o.logLevel, err = logLevel(text)
		return err
	})
	flags.Func("apply-strategy", "dynamic-apply; the stand-in has no other", only("dynamic-apply", ""))
	flags.Func("leader-election-resource-lock", "leases; the stand-in has no other", only("leases"))
	flags.Func("pprof-address", "0; the stand-in serves no profiles", only("0", ""))

	accepted := func(string) error { return nil }
	flags.Func("discovery-interval", "accepted: discovery is refreshed when a resource is not found", accepted)
	flags.Func("apply-strategy-ssa-field-manager", "accepted: no server-side apply here", accepted)
	flags.Func("zap-encoder", "accepted: the log is logfmt", accepted)
	flags.Func("zap-stacktrace-level", "accepted", accepted)
	flags.Func("zap-time-encoding", "accepted", accepted)
	flags.BoolFunc("zap-devel", "accepted; implies debug", func(string) error {
		o.logLevel = slog.LevelDebug
		return nil
	})

	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

func only(values ...string) func(string) error {
	return func(text string) error {
		if slices.Contains(values, text) {
			return nil
		}
		return fmt.Errorf("the stand-in supports only %q", values[0])
	}
}

func logLevel(text string) (slog.Level, error) {
	switch text {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "error":
		return slog.LevelError, nil
	}
	if n, err := strconv.Atoi(text); err != nil || n <= 0 {
		return 0, fmt.Errorf("not a log level: %q", text)
	}
	return slog.LevelDebug, nil
}
