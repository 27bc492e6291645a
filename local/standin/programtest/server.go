package programtest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// Server is a program that speaks the Redis protocol on a loopback port.
type Server struct {
	// Process is the last one that was launched; nil before the first.
	*Process
	// Port stays the same over restarts.
	Port int
	// Conf is the configuration file. The log, of all starts, stands next to it, with the suffix ".log".
	Conf string
	// Dir is the folder for the data alone, so that it can be lost. It is for the program to make.
	Dir string
	// Client is connected to the server and tries a command once.
	Client *redis.Client

	t    *testing.T
	argv []string
}

// NewServer is a server that is not started yet, with the path of its configuration as the last argument.
func NewServer(t *testing.T, password, program string, args ...string) *Server {
	t.Helper()
	dir, port := t.TempDir(), FreePort(t)
	// The port tells the logs of a test's servers apart.
	conf := filepath.Join(dir, fmt.Sprintf("server-%d.conf", port))
	s := &Server{Port: port, Conf: conf, Dir: filepath.Join(dir, "data"), t: t}
	s.argv = append(append([]string{program}, args...), s.Conf)
	s.Client = redis.NewClient(&redis.Options{
		Addr: s.Addr(), Protocol: 2, DisableIdentity: true, MaxRetries: -1, Password: password, PoolSize: 2,
		ReadTimeout: 15 * time.Second, // SLAVEOF may wait for a link that sleeps 10 s
	})
	t.Cleanup(func() { _ = s.Client.Close() })
	return s
}

// NewKvrocks is a kvrocks that is not started yet. Options are lines of its kvrocks.conf, and OWN in a value is its port.
func NewKvrocks(t *testing.T, program string, options map[string]string) *Server {
	t.Helper()
	s := NewServer(t, options["requirepass"], program, "-c")
	lines := map[string]string{
		"bind": "127.0.0.1", "port": strconv.Itoa(s.Port), "dir": s.Dir, "log-dir": "stdout", "use-rsid-psync": "yes",
	}
	maps.Copy(lines, options)
	var conf strings.Builder
	for key, value := range lines {
		_, _ = fmt.Fprintf(&conf, "%s %s\n", key, strings.ReplaceAll(value, "OWN", strconv.Itoa(s.Port)))
	}
	s.Configure(conf.String())
	return s
}

// Configure writes the configuration, for the next start.
func (s *Server) Configure(conf string) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(s.Conf, []byte(conf), 0o644))
}

// Addr is host:port.
func (s *Server) Addr() string { return Local(s.Port) }

// Launch starts the process and does not wait for it to answer.
func (s *Server) Launch() {
	s.t.Helper()
	s.Process = Launch(s.t, s.Conf+".log", s.argv[0], s.argv[1:]...)
}

// Start starts the process and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	s.Launch()
	AwaitEqual(s.t, "PONG", func() string {
		reply, err := s.Client.Ping(s.t.Context()).Result()
		if err != nil {
			return err.Error()
		}
		return reply
	}, s.Addr()+" answers")
}

// Field is the value of a line "name:value" of INFO or CLUSTER INFO; empty if there is none.
func Field(reply, name string) string {
	for line := range strings.SplitSeq(reply, "\r\n") {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return value
		}
	}
	return ""
}
