package contract

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

func TestImportBelievesTheNodeNamed(t *testing.T) {
	t.Parallel()
	c, nodes := startCluster(t, 2, 4)
	c.must(http.StatusOK, "POST", theCluster+"/migrate", `{"target":1,"slot":"0-8000","slot_only":true}`)
	for _, n := range nodes {
		n.awaitVersion(2)
	}
	was := c.get()
	answer, text := c.call("POST", clusters+"/d/import", `{"nodes":["`+nodes[3].Addr()+`"]}`)
	assert.Equal(t, http.StatusConflict, answer.StatusCode)
	assert.Contains(t, text, "node: already exists: [")
	c.must(http.StatusNoContent, "DELETE", theCluster, "")

	// Any member will do, a replica too; other names are not even looked at.
	var imported struct{ Cluster clusterView }
	c.must(http.StatusOK, "POST", theCluster+"/import", `{"nodes":["`+nodes[3].Addr()+`","nonsense"]}`, &imported)
	got := imported.Cluster
	assert.Equal(t, "c", got.Name)
	assert.EqualValues(t, 2, got.Version)
	assert.Equal(t, nodes[2].Addr(), got.Shards[0].Nodes[0].Addr, "ordered by the first slot, the master first")
	for _, n := range nodes {
		before := was.node(n.Addr())
		before.CreatedAt = 0
		assert.Equal(t, before, got.node(n.Addr()))
		assert.Equal(t, was.shardOf(n.Addr()).SlotRanges, got.shardOf(n.Addr()).SlotRanges)
	}
	answer, text = c.call("POST", theCluster+"/import", `{"nodes":["`+nodes[0].Addr()+`"]}`)
	assert.Equal(t, http.StatusConflict, answer.StatusCode)
	assert.Contains(t, text, "already exists")

	fresh := startNode(t, nil)
	answer, text = c.call("POST", clusters+"/d/import", `{"nodes":["`+fresh.Addr()+`"]}`)
	assert.Equal(t, http.StatusInternalServerError, answer.StatusCode)
	assert.Contains(t, text, "CLUSTERDOWN The cluster is not initialized")
}

// withoutEtcd starts a controller that probes each second and a shard of a master and a replica, which has all, and then
// kills their etcd.
func withoutEtcd(t *testing.T) (c *controller, store *etcd, nodes []*node, created clusterView) {
	t.Helper()
	store, nodes = startEtcd(t), startNodes(t, 2, nil)
	c = newController(t, store, 1)
	c.start()
	created = c.create(2, "", addrs(nodes)...)
	for _, n := range nodes {
		n.awaitVersion(1)
	}
	nodes[0].write("x")
	nodes[1].awaitSynced(nodes[0])
	store.process.Kill()
	return c, store, nodes, created
}

func TestEtcdLosesItsData(t *testing.T) {
	t.Parallel()
	c, store, nodes, created := withoutEtcd(t)
	nodes[0].must("SET", "x", "the nodes go on")
	store.loseData()
	store.start()
	c.awaitLeading()

	answer, text := c.call("GET", theCluster, "")
	assert.Equal(t, http.StatusNotFound, answer.StatusCode)
	assert.Equal(t, message("cluster: not found"), text)
	c.must(http.StatusCreated, "POST", namespaces, `{"namespace":"ns"}`)
	c.must(http.StatusOK, "POST", theCluster+"/import", `{"nodes":["`+nodes[1].Addr()+`"]}`)
	assert.Equal(t, created.id(nodes[0].Addr()), c.get().id(nodes[0].Addr()))

	// It watches the cluster again.
	nodes[1].awaitSynced(nodes[0])
	nodes[0].Kill()
	programtest.AwaitEqual(t, "master", func() string { return c.get().role(nodes[1].Addr()) }, "role of the replica")
	nodes[1].write("x")
}

func TestEtcdIsAway(t *testing.T) {
	t.Parallel()
	c, store, nodes, created := withoutEtcd(t)
	nodes[0].Kill()
	settle(9 * time.Second) // Longer than a session lasts.
	assert.Equal(t, "slave", nodes[1].role(), "nothing is decided meanwhile")
	store.start()
	c.awaitLeading()
	assert.Equal(t, created.id(nodes[0].Addr()), c.get().id(nodes[0].Addr()))
	programtest.AwaitEqual(t, "master", func() string { return c.get().role(nodes[1].Addr()) }, "role of the replica")
}
