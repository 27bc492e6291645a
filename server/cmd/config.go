package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/server"
)

// config is what flags and the environment say.
type config struct {
	listen    string
	tlsCert   string
	tlsKey    string
	tokenFile string
	maxBody   int64
	timeout   time.Duration
	drain     time.Duration
	grace     time.Duration
	// namespaces that are managed; none means all.
	namespaces []string
	// operatorNamespace is where the sidecar runs; "" when it is not known.
	operatorNamespace string
	logLevel          slog.Level
	logFormat         string
	version           bool
}

// envPrefix and a flag's name in capitals make the name of the variable that sets the flag: KVROCKS_HOOKS_LISTEN.
const envPrefix = "KVROCKS_HOOKS_"

// parse reads flags, then the environment for flags that were not given.
func parse(args []string, lookup func(string) (string, bool), out io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("hook-server", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&c.listen, "listen", ":8080", "address to listen on")
	flags.StringVar(&c.tlsCert, "tls-cert-file", "", "certificate (PEM); with tls-key-file, serves TLS; read again when it changes")
	flags.StringVar(&c.tlsKey, "tls-key-file", "", "key of the certificate (PEM)")
	flags.StringVar(&c.tokenFile, "token-file", "", "file with the bearer token that hook calls must carry; read again when it changes")
	flags.Int64Var(&c.maxBody, "max-body", server.DefaultMaxBody, "largest request accepted, in `bytes`")
	flags.DurationVar(&c.timeout, "timeout", server.DefaultTimeout, "time for one call")
	flags.DurationVar(&c.drain, "drain-delay", 5*time.Second,
		"time between failing /readyz and closing the listener, for callers to go elsewhere")
	flags.DurationVar(&c.grace, "grace", 10*time.Second, "time for running calls to end when stopping")
	flags.Func("namespaces", "comma-separated `list` of the namespaces whose instances are managed, as given to the sidecar (default all)",
		func(list string) error {
			c.namespaces = strings.Fields(strings.ReplaceAll(list, ",", " "))
			return nil
		})
	flags.StringVar(&c.operatorNamespace, "operator-namespace", "",
		"`namespace` of the sidecar, from which alone the NetworkPolicies of instances admit it (default any)")
	flags.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "DEBUG (a line per call), INFO, WARN or ERROR")
	flags.StringVar(&c.logFormat, "log-format", "json", "json or text")
	flags.BoolVar(&c.version, "version", false, "print the version and exit")
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	if flags.NArg() > 0 {
		return config{}, fmt.Errorf("unexpected argument %q; see --help", flags.Arg(0))
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var problems []error
	flags.VisitAll(func(f *flag.Flag) {
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := lookup(name)
		if !ok || given[f.Name] {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			problems = append(problems, fmt.Errorf("%s=%q: %w", name, value, err))
		}
	})
	return c, errors.Join(append(problems, c.check())...)
}

func (c config) check() error {
	switch {
	case (c.tlsCert == "") != (c.tlsKey == ""):
		return errors.New("tls-cert-file and tls-key-file go together; give both or none")
	case c.maxBody <= 0:
		return errors.New("max-body must be positive")
	case c.timeout <= 0:
		return errors.New("timeout must be positive")
	case c.drain < 0 || c.grace < 0:
		return errors.New("drain-delay and grace must not be negative")
	case c.logFormat != "json" && c.logFormat != "text":
		return fmt.Errorf("log-format is %q; write json or text", c.logFormat)
	}
	return nil
}
