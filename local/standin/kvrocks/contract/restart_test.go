package contract

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCrashLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	for i := range 200 {
		n.must("SET", fmt.Sprintf("k%d", i), i)
	}
	n.do("HSET", "h", "f", "v")
	n.do("RPUSH", "l", "a", "b")
	n.do("ZADD", "z", "1.5", "m")
	n.do("SADD", "s", "m")
	n.must("SET", "gone", "v", "PX", "1")
	before := n.sequence()
	n.Kill()
	n.Start()
	assert.Equal(t, before+1, n.sequence(), "the same, and one for the new history of a master")
	for i := range 200 {
		assert.Equal(t, fmt.Sprint(i), n.do("GET", fmt.Sprintf("k%d", i)))
	}
	assert.Equal(t, "[a b]", n.do("LRANGE", "l", "0", "-1"))
	assert.Equal(t, "v", n.do("HGET", "h", "f"))
	assert.Equal(t, "1.5", n.do("ZSCORE", "z", "m"))
	assert.Equal(t, "1", n.do("SCARD", "s"))
	assert.Equal(t, "(nil)", n.do("GET", "gone"))
}

func TestReplicaKeepsItsSequenceOverRestart(t *testing.T) {
	t.Parallel()
	n := startNode(t, options{"slaveof": "127.0.0.1 OWN"})
	n.must("SLAVEOF", "NO", "ONE")
	n.must("SET", "k", "v")
	before := n.sequence()
	n.Kill()
	n.Start() // SLAVEOF was not written to the file, so it is its own replica again
	assert.Equal(t, "slave", n.info("replication", "role"))
	assert.Equal(t, before, n.sequence())
	assert.Equal(t, "v", n.do("GET", "k"))
}

func TestSlaveOfIsForgottenUnlessRewritten(t *testing.T) {
	t.Parallel()
	master, n := startNode(t, nil), startNode(t, nil)
	n.replicate(master)
	n.awaitSynced(master)
	n.Kill()
	n.Start()
	assert.Equal(t, "master", n.info("replication", "role"))

	n.replicate(master)
	n.awaitText("OK", "CONFIG", "REWRITE") // refused for the moment of loading, should the sync be a full one
	conf, err := os.ReadFile(n.Conf)
	require.NoError(t, err)
	assertContains(t, string(conf), fmt.Sprintf("slaveof \"127.0.0.1 %d\"", master.Port))
	n.Kill()
	n.Start()
	assert.Equal(t, "slave", n.info("replication", "role"))
	n.awaitSynced(master)

	n.must("SLAVEOF", "NO", "ONE")
	n.must("CONFIG", "REWRITE")
	conf, err = os.ReadFile(n.Conf)
	require.NoError(t, err)
	assertContains(t, string(conf), "slaveof \"no one\"")
}
