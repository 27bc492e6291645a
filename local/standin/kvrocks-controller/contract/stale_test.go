package contract

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// A controller keeps connections and does not look whether they still are: after a node's restart its first uses of the
// node fail.
func TestARestartedNodeIsMissedAtFirst(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	nodes := startNodes(t, 2, nil)
	c.create(2, "", addrs(nodes)...).push(t, 1, nodes...)
	nodes[0].write("x")
	nodes[1].awaitSynced(nodes[0])
	// The controller has connections from now on.
	c.must(http.StatusCreated, "POST", theCluster+"/shards", `{"nodes":["127.0.0.1:1"]}`)
	nodes[1].awaitVersion(2)
	nodes[1].restart(nothing)
	nodes[1].awaitSynced(nodes[0])

	answer, text := c.call("POST", theShard+"/failover", `{}`)
	assert.Equal(t, http.StatusInternalServerError, answer.StatusCode)
	assert.Equal(t, message("no match new master in shard"), text)
	programtest.AwaitEqual(t, http.StatusOK, func() int { return c.status("POST", theShard+"/failover", `{}`) }, "failover after some attempts")
	nodes[1].awaitVersion(3)
	nodes[0].awaitVersion(3)

	// A topology that is pushed then does not arrive, and is not pushed again before a probe.
	nodes[0].restart(nothing)
	c.must(http.StatusCreated, "POST", theCluster+"/shards", `{"nodes":["127.0.0.1:2"]}`)
	nodes[1].awaitVersion(4)
	settle(500 * time.Millisecond)
	assert.Equal(t, "3", nodes[0].version())
}
