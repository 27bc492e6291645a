package contract

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// id returns the node id used for the i-th node of a test.
func id(i int) string { return strings.Repeat(string(rune('a'+i)), 40) }

// clusterNode starts a node in cluster mode that knows its id and nothing else.
func clusterNode(t *testing.T, i int, opts options) *node {
	t.Helper()
	lines := options{"cluster-enabled": "yes"}
	maps.Copy(lines, opts)
	n := startNode(t, lines)
	n.must("CLUSTERX", "SETNODEID", id(i))
	return n
}

// member is a node's line of a topology; role is "master - 0-5" or "slave <id>".
func member(i int, n *node, role string) string {
	return fmt.Sprintf("%s 127.0.0.1 %d %s", id(i), n.Port, role)
}

func setNodes(t *testing.T, version int, topology []string, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		n.must("CLUSTERX", "SETNODES", strings.Join(topology, "\n"), version)
	}
}

// clusterInfo returns one field of CLUSTER INFO.
func (n *node) clusterInfo(name string) string {
	return programtest.Field(n.do("CLUSTER", "INFO"), name)
}

// moveInfo returns a field of CLUSTER INFO about a migration; these have a space after the colon.
func (n *node) moveInfo(name string) string {
	value := n.clusterInfo(name)
	trimmed := strings.TrimPrefix(value, " ")
	assert.True(n.t, value == "" || value != trimmed, "%q begins with a space", value)
	return trimmed
}

// Slots of the keys in these tests: "{a}x" is 15495, "{b}x" is 3300, "{c}x" is 7365.
const slotB = 3300

func TestUninitializedClusterNode(t *testing.T) {
	t.Parallel()
	n := startNode(t, options{"cluster-enabled": "yes", "slaveof": "127.0.0.1 OWN"})
	n.awaitInfo("master_link_status", "up")
	for _, sub := range []string{"INFO", "NODES", "SLOTS"} {
		assert.Equal(t, "CLUSTERDOWN The cluster is not initialized", n.do("CLUSTER", sub))
	}
	assert.Equal(t, "-1", n.do("CLUSTERX", "VERSION"))
	assert.Equal(t, "CLUSTERDOWN Hash slot not served", n.do("SET", "k", "v"))
	assert.Equal(t, "ERR can't change to slave in cluster mode", n.do("SLAVEOF", "no", "one"))
	assert.Equal(t, "ERR CLUSTER command, CLUSTER INFO|NODES|SLOTS|KEYSLOT|RESET|REPLICAS", n.do("CLUSTER", "MYID"))
	assert.Equal(t, "3300", n.do("CLUSTER", "KEYSLOT", "{b}x"))
	assert.Equal(t, "cluster", n.info("server", "redis_mode"))
	assert.Equal(t, "1", n.info("cluster", "cluster_enabled"))
}

func TestTopologyRefusals(t *testing.T) {
	t.Parallel()
	n := clusterNode(t, 0, nil)
	setNodes(t, 5, []string{member(0, n, "master - 0-16383")}, n)
	a, b := id(0), id(1)
	for topology, want := range map[string]string{
		"":                                   "ERR Invalid cluster nodes info",
		a + " h 1 master":                    "ERR Invalid cluster nodes info",
		"short h 1 master -":                 "ERR Invalid cluster node id",
		a + " h x master -":                  "ERR Invalid cluster node port",
		a + " h 1 leader -":                  "ERR Invalid cluster node role",
		a + " h 1 master " + b:               "ERR Invalid cluster node id",
		a + " h 1 slave -":                   "ERR Invalid cluster node id",
		a + " h 1 slave " + b + " 1":         "ERR Invalid cluster nodes info",
		a + " h 1 master - 5-5":              "ERR Slot is out of range",
		a + " h 1 master - 16384":            "ERR Slot is out of range",
		a + " h 1 master - 1-x":              "ERR Slot is out of range",
		a + " h 1 master - 1-3 3-4":          "ERR Slot distribution is overlapped",
		a + " h 1 master - 1 " + b + " h 2 ": "ERR Invalid nodes definition: Missing newline between node entries.",
	} {
		assert.Equal(t, want, n.do("CLUSTERX", "SETNODES", topology, "6"), topology)
	}
	whole := member(0, n, "master - 0-16383")
	assert.Equal(t, "ERR Invalid cluster version", n.do("CLUSTERX", "SETNODES", whole, "4"))
	assert.Equal(t, "ERR Invalid version", n.do("CLUSTERX", "SETNODES", whole, "x"))
	assert.Equal(t, "ERR Invalid setnodes options", n.do("CLUSTERX", "SETNODES", whole, "6", "please"))
	const usage = "ERR CLUSTERX command, CLUSTERX VERSION|MYID|SETNODEID|SETNODES|SETSLOT|MIGRATE"
	assert.Equal(t, usage, n.do("CLUSTERX", "SETNODEID", "short"))
	assert.Equal(t, "5", n.do("CLUSTERX", "VERSION"), "nothing was applied")
}

func TestVersionsDecideWhetherATopologyIsApplied(t *testing.T) {
	t.Parallel()
	n := clusterNode(t, 0, nil)
	setNodes(t, 5, []string{member(0, n, "master - 0-16383")}, n)
	setNodes(t, 5, []string{member(0, n, "master - 0-100")}, n)
	assert.Equal(t, "16384", n.clusterInfo("cluster_slots_assigned"), "the same version is ignored")
	setNodes(t, 9, []string{member(0, n, "master - 0-100 102-16383"), member(1, n, "master - 101")}, n)
	assert.Equal(t, "9", n.do("CLUSTERX", "VERSION"))
	assert.Equal(t, "2", n.clusterInfo("cluster_known_nodes"))
	assertContains(t, n.do("CLUSTER", "NODES"), fmt.Sprintf("%s 127.0.0.1:%d@%d myself,master - ", id(0), n.Port, n.Port+10000))
	assertContains(t, n.do("CLUSTER", "NODES"), " 9 connected 0-100 102-16383\n")
	assertContains(t, n.do("CLUSTER", "NODES"), " 9 connected 101\n")
	assert.Equal(t, "OK", n.do("CLUSTERX", "SETNODES", member(0, n, "master - 0-16383"), "1", "FORCE"))
	assert.Equal(t, "1", n.do("CLUSTERX", "VERSION"))
	assert.Equal(t, "ok", n.clusterInfo("cluster_state"))
}

func TestSlotsThatATopologyDropsStay(t *testing.T) {
	t.Parallel()
	n := clusterNode(t, 0, nil)
	setNodes(t, 1, []string{member(0, n, "master - 0-16383")}, n)
	setNodes(t, 2, []string{member(0, n, "master - 0-3299")}, n)
	assert.Equal(t, fmt.Sprintf("MOVED 3300 127.0.0.1:%d", n.Port), n.do("GET", "{b}x"), "moved to itself, for ever")
}

// twoShards starts a shard with a replica and a shard without; the boundary is slot 8191, and both hold version 1.
func twoShards(t *testing.T, opts options) (first, second, replica *node, topology []string) {
	t.Helper()
	first, second, replica = clusterNode(t, 0, opts), clusterNode(t, 1, opts), clusterNode(t, 2, opts)
	topology = []string{
		member(0, first, "master - 0-8191"), member(1, second, "master - 8192-16383"), member(2, replica, "slave "+id(0)),
	}
	setNodes(t, 1, topology, first, second, replica)
	first.must("SET", "{b}x", "v")
	replica.awaitSynced(first)
	return first, second, replica, topology
}

func TestCommandsGoWhereTheirSlotIs(t *testing.T) {
	t.Parallel()
	first, second, replica, _ := twoShards(t, nil)
	moved := fmt.Sprintf("MOVED 3300 127.0.0.1:%d", first.Port)
	assert.Equal(t, moved, second.do("GET", "{b}x"))
	assert.Equal(t, moved, second.do("SET", "{b}x", "v"))
	assert.Equal(t, moved, replica.do("SET", "{b}x", "v"))
	assert.Equal(t, moved, replica.do("GET", "{b}x"))
	assert.Equal(t, "CROSSSLOT Attempted to access keys that don't hash to the same slot",
		first.do("MGET", "{b}x", "{a}x"))
	assert.Equal(t, "v", first.do("GET", "{b}x"))
	assertContains(t, first.do("CLUSTER", "SLOTS"), fmt.Sprintf("[0 8191 [127.0.0.1 %d %s] [127.0.0.1 %d %s]]",
		first.Port, id(0), replica.Port, id(2)))
	assert.Equal(t, "slave", replica.info("replication", "role"))
	assertContains(t, replica.do("CLUSTER", "NODES"), "myself,slave "+id(0))
}

func TestTopologySurvivesARestart(t *testing.T) {
	t.Parallel()
	first, _, replica, _ := twoShards(t, options{"slaveof": "127.0.0.1 OWN"})
	for _, n := range []*node{first, replica} {
		n.Kill()
		n.Start()
		assert.Equal(t, "1", n.do("CLUSTERX", "VERSION"))
	}
	assert.Equal(t, "master", first.info("replication", "role"), "nodes.conf wins over slaveof")
	first.must("SET", "{b}y", "v")
	replica.awaitSynced(first)
	assert.Equal(t, id(2), replica.do("CLUSTERX", "MYID"))

	first.Kill()
	require.NoError(t, os.Rename(filepath.Join(first.Dir, "nodes.conf"), filepath.Join(first.Dir, "nodes.conf.last")))
	first.Start()
	assert.Equal(t, "-1", first.do("CLUSTERX", "VERSION"))
	assert.Equal(t, "slave", first.info("replication", "role"), "without the file the configuration decides")
}

func TestFailoverByTopology(t *testing.T) {
	t.Parallel()
	first, second, replica, _ := twoShards(t, nil)
	first.Kill()
	next := []string{
		member(2, replica, "master - 0-8191"), member(1, second, "master - 8192-16383"), member(0, first, "slave "+id(2)),
	}
	setNodes(t, 2, next, replica, second)
	assert.Equal(t, "OK", replica.do("SET", "{b}y", "new"))
	assert.Equal(t, fmt.Sprintf("MOVED 3300 127.0.0.1:%d", replica.Port), second.do("GET", "{b}x"))
	first.Start()
	assert.Equal(t, "OK", first.do("SET", "{b}y", "stale"), "the old master is writable until it is told")
	setNodes(t, 2, next, first)
	first.awaitSynced(replica)
	first.must("READONLY")
	assert.Equal(t, "new", first.do("GET", "{b}y"))
}

func TestReset(t *testing.T) {
	t.Parallel()
	_, _, replica, _ := twoShards(t, nil)
	assert.Equal(t, "ERR Can't reset cluster while database is not empty", replica.do("CLUSTER", "RESET"))
	setNodes(t, 2, []string{member(2, replica, "master -")}, replica)
	replica.must("FLUSHALL")
	replica.must("CLUSTER", "RESET")
	assert.Equal(t, "-1", replica.do("CLUSTERX", "VERSION"))
	assert.NoFileExists(t, filepath.Join(replica.Dir, "nodes.conf"))
	assert.Equal(t, "master", replica.info("replication", "role"))
}

func TestSetSlotToAnUnknownNodeCrashesLater(t *testing.T) {
	t.Parallel()
	n := clusterNode(t, 0, nil)
	setNodes(t, 1, []string{member(0, n, "master - 0-16383")}, n)
	assert.Equal(t, "ERR Invalid cluster version", n.do("CLUSTERX", "SETSLOT", "1", "NODE", id(0), "9"))
	n.must("CLUSTERX", "SETSLOT", "1", "NODE", id(0), "2")
	assertContains(t, n.do("CLUSTERX", "SETSLOT", "1", "NODE", id(7), "3"), "No this node in the cluster")
	n.do("CLUSTER", "NODES")
	n.AwaitExit()
}
