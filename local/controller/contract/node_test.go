package contract

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// node is a kvrocks server in cluster mode.
type node struct {
	t         *testing.T
	port      int
	dir, conf string
	process   *process
	client    *redis.Client
}

// options are lines of kvrocks.conf.
type options map[string]string

func startNode(t *testing.T, opts options) *node {
	t.Helper()
	dir := t.TempDir()
	n := &node{t: t, port: freePort(t), dir: filepath.Join(dir, "data"), conf: filepath.Join(dir, "kvrocks.conf")}
	lines := options{
		"bind": "127.0.0.1", "port": strconv.Itoa(n.port), "dir": n.dir, "log-dir": "stdout", "workers": "1",
		"cluster-enabled": "yes", "use-rsid-psync": "yes",
	}
	maps.Copy(lines, opts)
	var out strings.Builder
	for key, value := range lines {
		_, _ = fmt.Fprintf(&out, "%s %s\n", key, value)
	}
	require.NoError(t, os.WriteFile(n.conf, []byte(out.String()), 0o644))
	n.client = redis.NewClient(&redis.Options{
		Addr: n.addr(), Protocol: 2, DisableIdentity: true, MaxRetries: -1, Password: lines["requirepass"], PoolSize: 2,
	})
	t.Cleanup(func() { _ = n.client.Close() })
	n.start()
	return n
}

// startNodes starts nodes with the same options.
func startNodes(t *testing.T, count int, opts options) []*node {
	t.Helper()
	nodes := make([]*node, count)
	for i := range nodes {
		nodes[i] = startNode(t, opts)
	}
	return nodes
}

func addrs(nodes []*node) []string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.addr()
	}
	return list
}

func (n *node) addr() string { return local(n.port) }

func (n *node) start() {
	n.t.Helper()
	n.process = launch(n.t, n.conf+".log", programs.kvrocks, "-c", n.conf)
	awaitEqual(n.t, "PONG", func() string { return n.do("PING") }, n.addr()+" answers")
}

// restart ends the process as a crash does and starts it again, without what lose removes.
func (n *node) restart(lose func(dir string)) {
	n.t.Helper()
	n.process.kill()
	lose(n.dir)
	n.start()
}

func nothing(string) {}

// theTopology is the file in which a node keeps its place in the cluster.
func theTopology(dir string) { _ = os.Remove(filepath.Join(dir, "nodes.conf")) }

func everything(dir string) { _ = os.RemoveAll(dir) }

// pause stops the process without ending it, until the test is over.
func (n *node) pause() {
	n.t.Helper()
	n.process.signal(syscall.SIGSTOP)
	process := n.process
	n.t.Cleanup(func() { _ = process.cmd.Process.Signal(syscall.SIGCONT) })
}

// do sends a command and returns the reply as text, or the text of the error.
func (n *node) do(words ...any) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reply, err := n.client.Do(ctx, words...).Result()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(reply)
}

// must sends a command that has to succeed with OK.
func (n *node) must(words ...any) {
	n.t.Helper()
	require.Equal(n.t, "OK", n.do(words...), "%v on %s", words, n.addr())
}

func (n *node) version() string { return n.do("CLUSTERX", "VERSION") }

func (n *node) awaitVersion(want int64) {
	n.t.Helper()
	awaitEqual(n.t, strconv.FormatInt(want, 10), n.version, "version of "+n.addr())
}

// info returns one field of INFO or CLUSTER INFO.
func field(text, name string) string {
	for line := range strings.SplitSeq(text, "\r\n") {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (n *node) role() string { return field(n.do("INFO", "replication"), "role") }

func (n *node) sequence() int {
	sequence, _ := strconv.Atoi(field(n.do("INFO", "keyspace"), "sequence"))
	return sequence
}

// awaitSynced waits until a replica has all that its master has.
func (n *node) awaitSynced(master *node) {
	n.t.Helper()
	awaitEqual(n.t, "up", func() string { return field(n.do("INFO", "replication"), "master_link_status") }, "link of "+n.addr())
	awaitEqual(n.t, true, func() bool { return n.sequence() == master.sequence() }, "sequences equal")
}

// keys is the number of keys with the prefix.
func (n *node) keys(prefix string) int {
	reply, err := n.client.Do(context.Background(), "KEYS", prefix+"*").StringSlice()
	if err != nil {
		return -1
	}
	return len(reply)
}

// write waits until the master takes a write; the key's slot must be one of the master's.
func (n *node) write(key string) {
	n.t.Helper()
	awaitEqual(n.t, "OK", func() string { return n.do("SET", key, time.Now().String()) }, "SET on "+n.addr())
}
