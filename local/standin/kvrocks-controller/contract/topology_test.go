package contract

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// startCluster starts a controller that probes each second, and nodes that have the topology.
func startCluster(t *testing.T, perShard, count int) (*controller, []*node) {
	t.Helper()
	c, nodes := startController(t, 1), startNodes(t, count, nil)
	created := c.create(perShard, "", addrs(nodes)...)
	for _, n := range nodes {
		n.awaitVersion(created.Version)
	}
	return c, nodes
}

// line is a node's line of a topology that is pushed past the controller; role is "master - 0-5" or "slave <id>".
func (v clusterView) line(n *node, role string) string {
	return fmt.Sprintf("%s 127.0.0.1 %d %s", v.id(n.Addr()), n.Port, role)
}

func TestCreatingAsksAndTellsNoNode(t *testing.T) {
	t.Parallel()
	c, nodes := startController(t, slow), startNodes(t, 2, nil)
	created := c.create(1, "", addrs(nodes)...)
	settle(500 * time.Millisecond)
	for _, n := range nodes {
		assert.Equal(t, "-1", n.version(), "the first probe comes after a whole interval")
	}

	// A change is pushed to all at once, whatever the interval.
	added := startNode(t, nil)
	c.must(http.StatusCreated, "POST", theCluster+"/shards/0/nodes", `{"addr":"`+added.Addr()+`"}`)
	for _, n := range append(nodes, added) {
		n.awaitVersion(2)
	}
	assert.Equal(t, created.id(nodes[0].Addr()), nodes[0].do("CLUSTERX", "MYID"))
	assert.Equal(t, "master", nodes[0].role())
	assert.Equal(t, "slave", added.role())
	nodes[0].write("{b}x")
	added.awaitSynced(nodes[0])

	// A node that is removed is not told.
	c.must(http.StatusNoContent, "DELETE", theCluster+"/shards/0/nodes/"+c.get().id(added.Addr()), "")
	nodes[0].awaitVersion(3)
	assert.Equal(t, "2", added.version())
	assert.Equal(t, "slave", added.role())
}

func TestCheckingForFreshNodes(t *testing.T) {
	t.Parallel()
	c, nodes := startCluster(t, 1, 1)
	c.must(http.StatusNoContent, "DELETE", theCluster, "")
	assert.Equal(t, "1", nodes[0].version(), "a node is not told that its cluster is gone")
	create := func(addr string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url()+clusters,
			strings.NewReader(`{"name":"d","nodes":["`+addr+`"]}`))
		require.NoError(t, err)
		request.Header.Set("X-Dont-Check-Cluster-Mode", "yes")
		return c.send(request)
	}
	status, text := create(nodes[0].Addr())
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, message("node is already in cluster mode"), text)
	status, text = create(dead1)
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.Contains(t, text, "connection refused")
	status, _ = create(startNode(t, nil).Addr())
	assert.Equal(t, http.StatusCreated, status)
}

func TestProbeGivesANodeThatIsBehindTheTopology(t *testing.T) {
	t.Parallel()
	c, nodes := startCluster(t, 2, 2)
	master, replica := nodes[0], nodes[1]
	master.write("{b}x")
	replica.awaitSynced(master)

	replica.restart(theTopology)
	replica.awaitVersion(1)
	replica.awaitSynced(master)
	assert.Equal(t, "slave", replica.role())
	assert.Equal(t, c.get().id(replica.Addr()), replica.do("CLUSTERX", "MYID"))

	master.restart(theTopology)
	master.awaitVersion(1)
	assert.NotEqual(t, "<nil>", master.do("GET", "{b}x"))
	replica.awaitSynced(master)

	// An empty master gets its role back, and its replica loses the data.
	master.restart(everything)
	master.awaitVersion(1)
	assert.Equal(t, "master", master.role())
	programtest.AwaitEqual(t, 0, func() int { return replica.keys("{b}") }, "keys of the replica")
	assert.EqualValues(t, 1, c.get().Version)
}

func TestSameVersionWithOtherContentIsNotNoticed(t *testing.T) {
	t.Parallel()
	c, nodes := startCluster(t, 1, 2)
	was := c.get()
	c.must(http.StatusOK, "POST", theCluster+"/migrate", `{"target":1,"slot":"0","slot_only":true}`)
	for _, n := range nodes {
		n.awaitVersion(2)
	}
	other := strings.Join([]string{was.line(nodes[0], "master - 0-100"), was.line(nodes[1], "master - 101-16383")}, "\n")
	nodes[0].must("CLUSTERX", "SETNODES", other, "2", "FORCE")
	settle(2500 * time.Millisecond)
	assert.Contains(t, nodes[0].do("CLUSTER", "NODES"), " 0-100\n")
	assert.Equal(t, []string{"1-8191"}, c.get().Shards[0].SlotRanges)
	assert.EqualValues(t, 2, c.get().Version)
}

func TestProbeAdoptsANewerTopology(t *testing.T) {
	t.Parallel()
	c, nodes := startCluster(t, 1, 3)
	was := c.get()
	// The first shard's slots go behind those of the second, the third has none.
	newer := strings.Join([]string{
		was.line(nodes[0], "master - 9000-16383"), was.line(nodes[1], "master - 0-8999"),
		was.line(nodes[2], "slave "+was.id(nodes[0].Addr())),
	}, "\n")
	nodes[2].must("CLUSTERX", "SETNODES", newer, "9")
	programtest.AwaitEqual(t, 9, func() int64 { return c.get().Version }, "version of the record")
	for _, n := range nodes {
		n.awaitVersion(9)
	}
	got := c.get()
	assert.Len(t, got.Shards, 2)
	assert.Equal(t, nodes[1].Addr(), got.Shards[0].Nodes[0].Addr, "shards are in the order of their first slots")
	assert.Equal(t, []string{"9000-16383"}, got.Shards[1].SlotRanges)
	assert.Equal(t, "slave", got.role(nodes[2].Addr()))
	assert.Zero(t, got.node(nodes[0].Addr()).CreatedAt)
	assert.Equal(t, was.id(nodes[2].Addr()), got.id(nodes[2].Addr()))

	// The next change goes on from there.
	c.must(http.StatusOK, "POST", theCluster+"/migrate", `{"target":1,"slot":"0","slot_only":true}`)
	nodes[0].awaitVersion(10)
}

func TestShardsWithoutSlotsAreLastInANewerTopology(t *testing.T) {
	t.Parallel()
	c, nodes := startCluster(t, 1, 2)
	was := c.get()
	newer := strings.Join([]string{was.line(nodes[0], "master -"), was.line(nodes[1], "master - 0-16383")}, "\n")
	nodes[0].must("CLUSTERX", "SETNODES", newer, "2")
	programtest.AwaitEqual(t, 2, func() int64 { return c.get().Version }, "version of the record")
	assert.Equal(t, nodes[1].Addr(), c.get().Shards[0].Nodes[0].Addr)
	assert.Equal(t, []string{}, c.get().Shards[1].SlotRanges)
	c.must(http.StatusNoContent, "DELETE", theCluster+"/shards/1", "")
	nodes[1].awaitVersion(3)
	assert.Equal(t, "2", nodes[0].version(), "the removed shard is not told")
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	c := startController(t, 1)
	nodes := startNodes(t, 2, options{"requirepass": "pw", "masterauth": "pw"})
	c.create(1, "pw", nodes[0].Addr())
	nodes[0].awaitVersion(1)
	// A node that is added without a password is never reached.
	c.must(http.StatusCreated, "POST", theCluster+"/shards/0/nodes", `{"addr":"`+nodes[1].Addr()+`"}`)
	nodes[0].awaitVersion(2)
	settle(1500 * time.Millisecond)
	assert.Equal(t, "-1", nodes[1].version())
	c.must(http.StatusNoContent, "DELETE", theCluster+"/shards/0/nodes/"+c.get().id(nodes[1].Addr()), "")
	c.must(http.StatusCreated, "POST", theCluster+"/shards/0/nodes", `{"addr":"`+nodes[1].Addr()+`","password":"pw"}`)
	nodes[1].awaitVersion(4)
	nodes[0].write("x")
	nodes[1].awaitSynced(nodes[0])
}
