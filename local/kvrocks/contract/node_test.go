package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program is the binary under test.
func program() string {
	if path := os.Getenv("KVROCKS_BIN"); path != "" {
		return path
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("kvrocks-stand-in-%d", os.Getpid()))
}

func TestMain(m *testing.M) {
	if os.Getenv("KVROCKS_BIN") == "" {
		build := exec.Command("go", "build", "-o", program(), "../cmd")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build the stand-in:", err)
			os.Exit(1)
		}
		defer func() { _ = os.Remove(program()) }()
	}
	m.Run()
}

// patience is how long a condition may take that has no deadline of its own; the real program is slow on a busy machine.
const patience = 30 * time.Second

// node is one running server.
type node struct {
	t      *testing.T
	port   int
	dir    string
	conf   string
	cmd    *exec.Cmd
	exited chan struct{}
	client *redis.Client
}

// options are lines of kvrocks.conf.
type options map[string]string

// newNode writes the configuration of a node and leaves it stopped.
func newNode(t *testing.T, opts options) *node {
	t.Helper()
	dir := t.TempDir()
	n := &node{t: t, port: freePort(t), dir: filepath.Join(dir, "data"), conf: filepath.Join(dir, "kvrocks.conf")}
	lines := options{
		"bind": "127.0.0.1", "port": strconv.Itoa(n.port), "dir": n.dir, "log-dir": "stdout", "workers": "2",
		"use-rsid-psync": "yes",
	}
	for key, value := range opts {
		lines[key] = strings.ReplaceAll(value, "OWN", strconv.Itoa(n.port))
	}
	var out strings.Builder
	for key, value := range lines {
		fmt.Fprintf(&out, "%s %s\n", key, value)
	}
	require.NoError(t, os.WriteFile(n.conf, []byte(out.String()), 0o644))
	n.client = redis.NewClient(&redis.Options{
		Addr: n.addr(), Protocol: 2, DisableIdentity: true, MaxRetries: -1,
		Password: lines["requirepass"], PoolSize: 2, ReadTimeout: 15 * time.Second,
	})
	t.Cleanup(func() { _ = n.client.Close() })
	return n
}

// startNode starts a node and waits until it answers.
func startNode(t *testing.T, opts options) *node {
	t.Helper()
	n := newNode(t, opts)
	n.start()
	return n
}

func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		// Below the ephemeral range, so that no outgoing connection takes it meanwhile.
		port := 20000 + rand.IntN(10000)
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			require.NoError(t, ln.Close())
			return port
		}
	}
	require.FailNow(t, "no free port")
	return 0
}

func (n *node) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)) }

func (n *node) start() {
	n.t.Helper()
	n.launch()
	n.awaitText("PONG", "PING")
}

// launch starts the process and does not wait for it to answer.
func (n *node) launch() {
	n.t.Helper()
	log, err := os.OpenFile(n.conf+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(n.t, err)
	defer func() { _ = log.Close() }()
	cmd := exec.Command(program(), "-c", n.conf)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(n.t, cmd.Start())
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	n.cmd, n.exited = cmd, exited
	n.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
		if n.t.Failed() {
			n.t.Logf("log of %s:\n%s", n.addr(), tail(n.conf+".log"))
		}
	})
}

func tail(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Size() > 4000 {
		_, _ = file.Seek(-4000, io.SeekEnd)
	}
	text, _ := io.ReadAll(file)
	return string(text)
}

// kill ends the process as a crash does.
func (n *node) kill() {
	n.t.Helper()
	require.NoError(n.t, n.cmd.Process.Kill())
	<-n.exited
}

func (n *node) signal(sig os.Signal) {
	n.t.Helper()
	require.NoError(n.t, n.cmd.Process.Signal(sig))
}

// pause stops the process without ending it, until the test is over.
func (n *node) pause() {
	n.t.Helper()
	cmd := n.cmd
	n.signal(syscall.SIGSTOP)
	n.t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGCONT) })
}

// awaitExit waits until the process has ended by itself.
func (n *node) awaitExit() {
	n.t.Helper()
	select {
	case <-n.exited:
	case <-time.After(patience):
		require.Fail(n.t, "still running")
	}
}

func (n *node) loseData() {
	n.t.Helper()
	require.NoError(n.t, os.RemoveAll(n.dir))
}

// do sends a command and returns the reply as text, or the text of the error.
func (n *node) do(words ...any) string {
	reply, err := n.client.Do(context.Background(), words...).Result()
	return text(reply, err)
}

func text(reply any, err error) string {
	switch {
	case errors.Is(err, redis.Nil):
		return "(nil)"
	case err != nil:
		return err.Error()
	}
	if list, ok := reply.([]any); ok {
		words := make([]string, len(list))
		for i, item := range list {
			if failed, isErr := item.(error); isErr {
				words[i] = text(nil, failed)
			} else {
				words[i] = text(item, nil)
			}
		}
		return "[" + strings.Join(words, " ") + "]"
	}
	if reply == nil {
		return "(nil)"
	}
	return fmt.Sprint(reply)
}

// must sends a command that has to succeed with OK.
func (n *node) must(words ...any) {
	n.t.Helper()
	require.Equal(n.t, "OK", n.do(words...), "%v", words)
}

// info returns one field of INFO.
func (n *node) info(section, name string) string {
	for line := range strings.SplitSeq(n.do("INFO", section), "\r\n") {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return value
		}
	}
	return ""
}

func (n *node) sequence() int {
	n.t.Helper()
	seq, err := strconv.Atoi(n.info("replication", "master_repl_offset"))
	require.NoError(n.t, err)
	return seq
}

func (n *node) awaitInfo(name, want string) {
	n.t.Helper()
	awaitEqual(n.t, want, patience, func() string { return n.info("replication", name) }, name+" of "+n.addr())
}

func (n *node) awaitText(want string, words ...any) {
	n.t.Helper()
	awaitEqual(n.t, want, patience, func() string { return n.do(words...) }, fmt.Sprint(words, " on ", n.addr()))
}

// awaitSynced waits until a replica's link is up and it has all of the master's records.
func (n *node) awaitSynced(master *node) {
	n.t.Helper()
	n.awaitInfo("master_link_status", "up")
	awaitEqual(n.t, true, patience, func() bool { return n.sequence() == master.sequence() }, "sequences equal")
}

func awaitEqual[T comparable](t *testing.T, want T, within time.Duration, get func() T, what string) {
	t.Helper()
	deadline := time.Now().Add(within)
	got := get()
	for ; got != want && time.Now().Before(deadline); got = get() {
		time.Sleep(10 * time.Millisecond)
	}
	require.Equal(t, want, got, "%s within %s", what, within)
}

// replicate makes a node a replica of another, retrying what a change of roles refuses for some seconds.
func (n *node) replicate(master *node) {
	n.t.Helper()
	n.awaitText("OK", "SLAVEOF", "127.0.0.1", master.port)
}

func assertContains(t *testing.T, got, want string) {
	t.Helper()
	assert.Contains(t, got, want)
}
