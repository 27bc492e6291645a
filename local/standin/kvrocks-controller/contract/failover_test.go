package contract

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

const theShard = theCluster + "/shards/0"

// failover asks for one and returns the new master's id.
func (c *controller) failover(body string) string {
	c.t.Helper()
	var done struct {
		ID string `json:"new_master_id"`
	}
	c.must(http.StatusOK, "POST", theShard+"/failover", body, &done)
	return done.ID
}

func prefer(id string) string { return `{"preferred_node_id":"` + id + `"}` }

// A replica with sequence 0 is refused. Only a node without use-rsid-psync has it: with that, every start as a master and every
// promotion writes a new replication id (kvrocks, Storage::ShiftReplId), which is a record. So here no sync changes the sequence,
// and one that is under way is an answer LOADING, which is refused as well.
func TestFailoverRefusesReplicasThatHaveNothing(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	nodes := startNodes(t, 2, options{"use-rsid-psync": "no"})
	created := c.create(2, "", addrs(nodes)...)
	refused := func(body string) {
		t.Helper()
		answer, text := c.call("POST", theShard+"/failover", body)
		assert.Equal(t, http.StatusInternalServerError, answer.StatusCode)
		assert.Equal(t, message("no match new master in shard"), text)
	}
	refused(`{}`) // The nodes have no topology.
	created.push(t, 1, nodes...)
	programtest.AwaitEqual(t, "slave", nodes[1].role, "role of the replica")
	refused(`{}`)
	refused(prefer(created.id(nodes[1].Addr())))
	nodes[1].awaitSynced(nodes[0])
	assert.Zero(t, nodes[1].sequence())
	refused(`{}`)
	nodes[0].write("x")
	nodes[1].awaitSynced(nodes[0])
	assert.Equal(t, created.id(nodes[1].Addr()), c.failover(`{}`))
	nodes[1].awaitVersion(2)
	nodes[1].write("x")
	nodes[0].awaitVersion(2)
	assert.Equal(t, "slave", nodes[0].role())
	got := c.get()
	assert.Equal(t, nodes[0].Addr(), got.Shards[0].Nodes[0].Addr, "the nodes keep their order")
	assert.Equal(t, "master", got.role(nodes[1].Addr()))
}

// The replication id that a node writes at its start counts: a replica that never got any data is promoted.
func TestFailoverTakesAReplicaThatHasOnlyItsReplicationID(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	nodes := startNodes(t, 2, options{"use-rsid-psync": "yes"})
	created := c.create(2, "", addrs(nodes)...)
	created.push(t, 1, nodes[0])
	nodes[0].write("x")
	created.strand(t, 1, nodes[0], nodes[1])
	assert.Equal(t, "slave", nodes[1].role())
	assert.Equal(t, 1, nodes[1].sequence())
	assert.Equal(t, created.id(nodes[1].Addr()), c.failover(`{}`))
	nodes[1].awaitVersion(2)
	assert.Zero(t, nodes[1].keys("x"))
}

// strand gives a replica a layout, past the controller, in which its master is an address at which nothing listens.
func (v clusterView) strand(t *testing.T, version int, master, replica *node) {
	t.Helper()
	none := strings.Repeat("d", 40)
	replica.must("CLUSTERX", "SETNODEID", v.id(replica.Addr()))
	replica.must("CLUSTERX", "SETNODES", strings.Join([]string{
		v.line(master, "master - 0-16383"), none + " " + strings.Replace(dead1, ":", " ", 1) + " master -", v.line(replica, "slave "+none),
	}, "\n"), version)
}

// push sends the record to nodes past the controller.
func (v clusterView) push(t *testing.T, version int, nodes ...*node) {
	t.Helper()
	var lines []string
	for _, shard := range v.Shards {
		master := shard.Nodes[0].ID
		for _, n := range shard.Nodes {
			place := strings.Replace(n.Addr, ":", " ", 1)
			if n.ID == master {
				lines = append(lines, n.ID+" "+place+" master - "+strings.Join(shard.SlotRanges, " "))
			} else {
				lines = append(lines, n.ID+" "+place+" slave "+master)
			}
		}
	}
	for _, n := range nodes {
		n.must("CLUSTERX", "SETNODEID", v.id(n.Addr()))
		n.must("CLUSTERX", "SETNODES", strings.Join(lines, "\n"), version)
	}
}

func TestFailoverPrefersAndChoosesTheNewestReplica(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	nodes := startNodes(t, 3, nil)
	created := c.create(3, "", addrs(nodes)...)
	created.push(t, 1, nodes...)
	nodes[0].write("x")
	for _, n := range nodes[1:] {
		n.awaitSynced(nodes[0])
	}
	created.strand(t, 2, nodes[0], nodes[2])
	for range 20 {
		nodes[0].must("SET", "x", "y")
	}
	nodes[1].awaitSynced(nodes[0])
	require.Less(t, nodes[2].sequence(), nodes[1].sequence())

	assert.Equal(t, created.id(nodes[1].Addr()), c.failover(`{}`), "the newest")
	nodes[1].awaitVersion(2)
	nodes[0].awaitVersion(2)
	assert.EqualValues(t, 2, c.get().Version)

	// A preferred node is taken although another has more.
	id := created.id(nodes[2].Addr())
	assert.Equal(t, id, c.failover(prefer(id)))
	nodes[2].awaitVersion(3)
	nodes[0].awaitVersion(3)
	nodes[1].awaitVersion(3)
	assert.Equal(t, "master", nodes[2].role())

	// If it does not answer, another is taken instead.
	nodes[2].write("x")
	for _, n := range nodes[:2] {
		n.awaitSynced(nodes[2])
	}
	nodes[0].Kill()
	assert.Equal(t, created.id(nodes[1].Addr()), c.failover(prefer(created.id(nodes[0].Addr()))))
}

func TestProbeReplacesAMasterThatIsKilled(t *testing.T) {
	t.Parallel()
	c, nodes := startCluster(t, 2, 4)
	for i, key := range []string{"{b}x", "{a}x"} {
		nodes[2*i].write(key)
		nodes[2*i+1].awaitSynced(nodes[2*i])
	}
	nodes[0].Kill()
	programtest.AwaitEqual(t, "master", func() string { return c.get().role(nodes[1].Addr()) }, "role of the replica")
	assert.Equal(t, "slave", c.get().role(nodes[0].Addr()))
	assert.EqualValues(t, 2, c.get().Version)
	nodes[1].write("{b}x")
	nodes[3].awaitVersion(2)

	nodes[0].Start()
	nodes[0].awaitVersion(2)
	nodes[0].awaitSynced(nodes[1])

	// A replica that is killed, or a master without replicas that answer, changes nothing.
	nodes[3].Kill()
	settle(1500 * time.Millisecond)
	nodes[2].Kill()
	settle(4500 * time.Millisecond)
	assert.EqualValues(t, 2, c.get().Version)
	assert.Equal(t, "master", c.get().role(nodes[2].Addr()))
}

func TestProbeReplacesAMasterThatHangs(t *testing.T) {
	t.Parallel()
	c, nodes := startCluster(t, 2, 2)
	nodes[0].write("x")
	nodes[1].awaitSynced(nodes[0])
	nodes[0].Pause()
	begin := time.Now()
	programtest.AwaitEqual(t, "master", func() string { return c.get().role(nodes[1].Addr()) }, "role of the replica")
	assert.Greater(t, time.Since(begin), 6*time.Second, "each probe waits 3 s for an answer")
	nodes[1].write("x")
}
