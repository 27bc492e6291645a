package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/kvrocks/kvrocks-operator/sidecar/reconcile"
)

// envPrefix begins the environment variable of every flag.
const envPrefix = "KVROCKS_SIDECAR_"

// settings is what the command line and the environment say.
type settings struct {
	options    reconcile.Options
	kubeconfig string
	level      slog.Level
	version    bool
}

func parse(args []string, env func(string) (string, bool), out io.Writer) (settings, error) {
	s := settings{options: reconcile.DefaultOptions()}
	o := &s.options
	if name, ok := env("POD_NAME"); ok {
		o.Lease.Identity = name
	} else { // two processes on one host are two candidates
		o.Lease.Identity = fmt.Sprintf("%s-%d", o.Lease.Identity, os.Getpid())
	}
	if namespace, ok := env("POD_NAMESPACE"); ok {
		o.Lease.Namespace = namespace
	}
	s.kubeconfig, _ = env("KUBECONFIG")

	f := flag.NewFlagSet("sidecar", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&s.kubeconfig, "kubeconfig", s.kubeconfig,
		"kubeconfig `file`; without it and without KUBECONFIG, the service account of the pod")
	f.Func("namespaces", "comma-separated `list` of the namespaces to work in (default all)", func(list string) error {
		o.Namespaces = splitList(list)
		return nil
	})
	f.StringVar(&o.Address, "listen", o.Address, "`address` of /healthz, /readyz and /metrics")
	f.IntVar(&o.Workers, "workers", o.Workers, "instances worked on at the same time")
	f.IntVar(&o.ConcurrentUpgrades, "concurrent-upgrades", o.ConcurrentUpgrades,
		"instances rolled at the same time because a new version of the operator makes other pods; 0 for none")
	f.DurationVar(&o.Period, "period", o.Period, "how often a settled instance is looked at")
	f.DurationVar(&o.Timeout, "timeout", o.Timeout, "longest wait for an answer of a node or sentinel")
	f.DurationVar(&o.SecretTTL, "secret-ttl", o.SecretTTL, "how soon a changed password is noticed")
	f.StringVar(&o.Lease.Namespace, "lease-namespace", o.Lease.Namespace, "namespace of the Lease")
	f.StringVar(&o.Lease.Name, "lease-name", o.Lease.Name, "name of the Lease")
	f.StringVar(&o.Lease.Identity, "lease-identity", o.Lease.Identity, "name of this replica, unique among the replicas")
	f.DurationVar(&o.Lease.Duration, "lease-duration", o.Lease.Duration, "how long a silent leader is waited for")
	f.DurationVar(&o.Lease.RenewDeadline, "lease-renew-deadline", o.Lease.RenewDeadline,
		"how long the leader tries to renew before it stops; shorter than lease-duration")
	f.DurationVar(&o.Lease.RetryPeriod, "lease-retry-period", o.Lease.RetryPeriod, "pause between tries")
	f.TextVar(&s.level, "log-level", s.level, "`level` of the log: debug, info, warn or error")
	f.BoolVar(&s.version, "version", false, "print the version and end")

	if err := fromEnv(f, env); err != nil {
		return settings{}, err
	}
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	if f.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return s, s.check()
}

// fromEnv sets every flag whose environment variable is set.
func fromEnv(f *flag.FlagSet, env func(string) (string, bool)) error {
	var errs []error
	f.VisitAll(func(fl *flag.Flag) {
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(fl.Name, "-", "_"))
		if value, ok := env(name); ok {
			if err := f.Set(fl.Name, value); err != nil {
				errs = append(errs, fmt.Errorf("environment variable %s: %w", name, err))
			}
		}
	})
	return errors.Join(errs...)
}

func (s *settings) check() error {
	o := &s.options
	switch {
	case o.Workers < 1:
		return errors.New("--workers must be at least 1")
	case o.ConcurrentUpgrades < 0:
		return errors.New("--concurrent-upgrades must not be less than 0")
	case o.Period <= 0 || o.Timeout <= 0 || o.SecretTTL < 0:
		return errors.New("--period and --timeout must be more than 0, --secret-ttl not less than 0")
	case o.Lease.RenewDeadline >= o.Lease.Duration || o.Lease.RetryPeriod*2 > o.Lease.RenewDeadline:
		return errors.New("needed: 2 x --lease-retry-period <= --lease-renew-deadline < --lease-duration")
	}
	return nil
}

func splitList(list string) []string {
	var items []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
