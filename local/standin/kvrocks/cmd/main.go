// Command kvrocks is the stand-in server, with the real program's command line:
//
//	kvrocks -c kvrocks.conf [--option value]...
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/config"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/server"
)

// gcPercent trades some CPU for a small heap: many of these run on one small machine.
const gcPercent = 50

const usage = `kvrocks stand-in, imitates kvrocks 2.10.1 for tests
Usage:
    -c, --config <filename>        set config file to <filename>
    -v, --version                  print version information
    -h, --help                     print this help message
    --<config-key> <config-value>  overwrite specific config option
`

var errUsage = errors.New("usage")

func main() {
	debug.SetGCPercent(gcPercent)
	path, overrides, err := parseArgs(os.Args[1:])
	if err != nil {
		fmt.Print(usage)
		os.Exit(1)
	}
	release, err := config.ParseRelease(os.Getenv("KVROCKS_STANDIN_RELEASE"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	cfg, err := config.LoadFor(release, path, overrides, os.Stdout)
	if err != nil {
		fmt.Println("Failed to load config. Error:", err)
		os.Exit(1)
	}
	if err := run(cfg); err != nil {
		fmt.Println("Failed to start server:", err)
		os.Exit(1)
	}
}

func run(cfg *config.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	pidfile := cfg.Text("pidfile")
	if pidfile == "/tmp/kvrocks/kvrocks.pid" {
		pidfile = cfg.Text("dir") + "/kvrocks.pid"
	}
	if err := os.WriteFile(pidfile, []byte(strconv.Itoa(os.Getpid())), 0o660); err != nil {
		return fmt.Errorf("create pidfile: %w", err)
	}
	defer func() { _ = os.Remove(pidfile) }()
	srv, err := server.New(cfg, slog.New(slog.NewTextHandler(os.Stdout, nil)))
	if err != nil {
		return err
	}
	return srv.Run(ctx)
}

// parseArgs returns the configuration file and the options given on the command line.
func parseArgs(args []string) (path string, overrides [][2]string, err error) {
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case (arg == "-c" || arg == "--config") && i+1 < len(args):
			i++
			path = args[i]
		case arg == "-v" || arg == "--version":
			fmt.Println("kvrocks version 2.10.1 (stand-in)")
			os.Exit(0)
		case arg == "-h" || arg == "--help":
			fmt.Print(usage)
			os.Exit(0)
		case strings.HasPrefix(arg, "--") && len(arg) > 2 && i+1 < len(args):
			i++
			overrides = append(overrides, [2]string{arg[2:], args[i]})
		default:
			return "", nil, errUsage
		}
	}
	return path, overrides, nil
}
