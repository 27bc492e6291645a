package contract

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

func TestRecordingAMigrationPushesIt(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	nodes := startNodes(t, 2, nil)
	c.create(1, "", addrs(nodes)...).push(t, 1, nodes...)
	// "{b}x" is in slot 3300. The nodes are not asked whether the slot has moved.
	nodes[0].write("{b}x")
	c.must(http.StatusOK, "POST", theCluster+"/migrate", `{"target":1,"slot":"3300","slot_only":true}`)
	for _, n := range nodes {
		n.awaitVersion(2)
	}
	assert.Contains(t, nodes[0].do("CLUSTER", "NODES"), " 0-3299 3301-8191\n")
	assert.Contains(t, nodes[1].do("CLUSTER", "NODES"), " 3300 8192-16383\n")
	nodes[1].write("{b}x")
}

// The request to migrate is itself a change that is pushed, and a push ends the migration, unless it arrives before the
// destination has begun.
func TestMigrationOfDataIsEndedByAPush(t *testing.T) {
	t.Parallel()
	c, nodes := startCluster(t, 1, 2)
	for i := range 2000 {
		nodes[0].must("SET", "{b}"+strconv.Itoa(i), "value")
	}
	// Slow enough for a push to arrive meanwhile.
	nodes[0].must("CONFIG", "SET", "migrate-speed", "200")
	var started struct{ Cluster clusterView }
	c.must(http.StatusOK, "POST", theCluster+"/migrate", `{"target":1,"slot":"3300"}`, &started)
	source := started.Cluster.Shards[0]
	assert.Equal(t, 1, source.TargetShardIndex)
	if assert.NotNil(t, source.MigratingSlot) {
		assert.Equal(t, "3300", *source.MigratingSlot)
	}
	assert.EqualValues(t, 2, started.Cluster.Version)
	answer, text := c.call("POST", theCluster+"/migrate", `{"target":1,"slot":"5"}`)
	assert.Equal(t, http.StatusInternalServerError, answer.StatusCode)
	assert.Equal(t, message("shard slot is migrating"), text)

	programtest.AwaitEqual(t, true, func() bool { return field(nodes[1].do("CLUSTER", "INFO"), "import_state") != "" }, "the import has begun")
	c.must(http.StatusCreated, "POST", theCluster+"/shards", `{"nodes":["127.0.0.1:1"]}`)
	programtest.AwaitEqual(t, "fail", func() string { return field(nodes[0].do("CLUSTER", "INFO"), "migrating_state") }, "state of the migration")
	programtest.AwaitEqual(t, 4, func() int64 { return c.get().Version }, "version after the migration")
	got := c.get().Shards[0]
	assert.Nil(t, got.MigratingSlot)
	assert.Equal(t, -1, got.TargetShardIndex)
	assert.Equal(t, []string{"0-8191"}, got.SlotRanges)
	assert.Equal(t, 2000, nodes[0].keys("{b}"))
}

func TestMigrationThatTheSourceRefuses(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	nodes := startNodes(t, 2, nil)
	c.create(1, "", addrs(nodes)...)
	answer, text := c.call("POST", theCluster+"/migrate", `{"target":1,"slot":"5"}`)
	assert.Equal(t, http.StatusInternalServerError, answer.StatusCode)
	assert.Equal(t, message("ERR Can't find the destination node id"), text)
	assert.EqualValues(t, 1, c.get().Version)
}
