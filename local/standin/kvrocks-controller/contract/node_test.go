package contract

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// node is a kvrocks server in cluster mode.
type node struct {
	*programtest.Server
	t *testing.T
}

// options are lines of kvrocks.conf.
type options map[string]string

func startNode(t *testing.T, opts options) *node {
	t.Helper()
	lines := options{"workers": "1", "cluster-enabled": "yes"}
	maps.Copy(lines, opts)
	n := &node{Server: programtest.NewKvrocks(t, programs.kvrocks, lines), t: t}
	n.Start()
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
		list[i] = n.Addr()
	}
	return list
}

// restart ends the process as a crash does and starts it again, without what lose removes.
func (n *node) restart(lose func(dir string)) {
	n.t.Helper()
	n.Kill()
	lose(n.Dir)
	n.Start()
}

func nothing(string) {}

// theTopology is the file in which a node keeps its place in the cluster.
func theTopology(dir string) { _ = os.Remove(filepath.Join(dir, "nodes.conf")) }

func everything(dir string) { _ = os.RemoveAll(dir) }

// do sends a command and returns the reply as text, or the text of the error.
func (n *node) do(words ...any) string {
	ctx, cancel := context.WithTimeout(context.Background(), programtest.Patience)
	defer cancel()
	reply, err := n.Client.Do(ctx, words...).Result()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(reply)
}

// must sends a command that has to succeed with OK.
func (n *node) must(words ...any) {
	n.t.Helper()
	require.Equal(n.t, "OK", n.do(words...), "%v on %s", words, n.Addr())
}

func (n *node) version() string { return n.do("CLUSTERX", "VERSION") }

func (n *node) awaitVersion(want int64) {
	n.t.Helper()
	programtest.AwaitEqual(n.t, strconv.FormatInt(want, 10), n.version, "version of "+n.Addr())
}

// field is one of INFO or CLUSTER INFO; the latter puts a space before some values.
func field(text, name string) string { return strings.TrimSpace(programtest.Field(text, name)) }

func (n *node) role() string { return field(n.do("INFO", "replication"), "role") }

// sequence is that of the node's last record; -1 while it says none, as during a full sync.
func (n *node) sequence() int {
	sequence, err := strconv.Atoi(field(n.do("INFO", "keyspace"), "sequence"))
	if err != nil {
		return -1
	}
	return sequence
}

// awaitSynced waits until a replica has all that its master has.
func (n *node) awaitSynced(master *node) {
	n.t.Helper()
	programtest.AwaitEqual(n.t, "up", func() string { return field(n.do("INFO", "replication"), "master_link_status") }, "link of "+n.Addr())
	programtest.AwaitEqual(n.t, true, func() bool {
		has := n.sequence()
		return has >= 0 && has == master.sequence()
	}, "sequences equal")
}

// keys is the number of keys with the prefix.
func (n *node) keys(prefix string) int {
	reply, err := n.Client.Do(context.Background(), "KEYS", prefix+"*").StringSlice()
	if err != nil {
		return -1
	}
	return len(reply)
}

// write waits until the master takes a write; the key's slot must be one of the master's.
func (n *node) write(key string) {
	n.t.Helper()
	programtest.AwaitEqual(n.t, "OK", func() string { return n.do("SET", key, time.Now().String()) }, "SET on "+n.Addr())
}
