package redistest

import (
	"os"
	"slices"
	"testing"
)

// Engine is a kind of data node.
type Engine string

// The kinds of data nodes.
const (
	Redis   Engine = "redis-server"
	Kvrocks Engine = "kvrocks"
)

// binaryVariable names the kvrocks binary to test against.
const binaryVariable = "KVROCKS_BIN"

// Engines are the kinds that can be started here: redis-server always, kvrocks where
// KVROCKS_BIN is set.
func Engines() []Engine {
	if os.Getenv(binaryVariable) == "" {
		return []Engine{Redis}
	}
	return []Engine{Redis, Kvrocks}
}

// Config is how to start a data node or a sentinel.
type Config struct {
	// Password is required from clients and sent to a master; empty for none.
	Password string
	// Lines are added to the config file.
	Lines []string
}

// Start runs a data node and waits until it serves.
func Start(t testing.TB, engine Engine, c Config) *Process {
	t.Helper()
	var p *Process
	lines := slices.Clone(c.Lines)
	if c.Password != "" {
		lines = append(lines, "requirepass "+c.Password, "masterauth "+c.Password)
	}
	switch engine {
	case Redis:
		p = newProcess(t, "redis-server", append(lines, "save \"\"", "repl-diskless-sync-delay 0", "enable-debug-command yes"))
	case Kvrocks:
		p = newProcess(t, os.Getenv(binaryVariable), append(lines,
			"use-rsid-psync yes", "log-dir stdout", "workers 1",
			"rocksdb.block_cache_size 16", "rocksdb.write_buffer_size 8"))
		p.argv = []string{p.argv[0], "-c", p.argv[1]}
	default:
		t.Fatalf("no engine %q", engine)
	}
	p.Password = c.Password
	p.Restart(t)
	return p
}

// StartSentinel runs a sentinel that monitors nothing yet and waits until it serves.
func StartSentinel(t testing.TB, c Config) *Process {
	t.Helper()
	lines := slices.Clone(c.Lines)
	if c.Password != "" {
		lines = append(lines, "requirepass "+c.Password)
	}
	p := newProcess(t, "redis-sentinel", append(lines, "sentinel announce-ip 127.0.0.1"))
	p.Password = c.Password
	p.Restart(t)
	return p
}
