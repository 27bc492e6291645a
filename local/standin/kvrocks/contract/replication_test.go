package contract

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// pair starts a master with one key and a replica that has it. Both listen to opts.
func pair(t *testing.T, opts options) (master, replica *node) {
	t.Helper()
	master, replica = startNode(t, opts), startNode(t, opts)
	master.must("SET", "k", "v")
	replica.replicate(master)
	replica.awaitSynced(master)
	return master, replica
}

func TestReplicaFollows(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, nil)
	assert.Equal(t, "v", replica.do("GET", "k"))
	master.must("SET", "k2", "v2")
	replica.awaitText("v2", "GET", "k2")
	assert.Equal(t, "READONLY You can't write against a read only slave.", replica.do("DEL", "k"))
	assert.Equal(t, "slave", replica.info("replication", "role"))
	assert.Equal(t, strconv.Itoa(replica.sequence()), replica.info("replication", "slave_repl_offset"))
	assert.Equal(t, "100", replica.info("replication", "slave_priority"))
	assert.Equal(t, "no", replica.info("replication", "master_sync_unrecoverable_error"))
	assert.Equal(t, "0", replica.info("replication", "master_sync_in_progress"))
	seq := master.sequence()
	want := fmt.Sprintf("ip=127.0.0.1,port=%d,offset=%d,lag=0", replica.Port, seq)
	master.awaitInfo("slave0", want)
}

func TestReplicaIsListedAsItAnnouncesItself(t *testing.T) {
	t.Parallel()
	master := startNode(t, nil)
	replica := startNode(t, options{"replica-announce-ip": "10.96.0.9", "replica-announce-port": "6379"})
	replica.replicate(master)
	replica.awaitSynced(master)
	assertContains(t, master.info("replication", "slave0"), "ip=10.96.0.9,port=6379,")
}

func TestKilledMasterShowsAtOnceAndHealsByItself(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, nil)
	full := replica.info("stats", "sync_full")
	master.Kill()
	programtest.AwaitEqualWithin(t, "down", 2*time.Second, func() string { return replica.info("replication", "master_link_status") },
		"link")
	master.Start()
	master.must("SET", "k2", "v2")
	replica.awaitSynced(master)
	assert.Equal(t, "v2", replica.do("GET", "k2"))
	assert.Equal(t, "0", master.info("stats", "sync_full"), "the log was enough")
	assert.Equal(t, full, replica.info("stats", "sync_full"))
}

func TestHungMasterShowsOnlyInTheLastIO(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, nil)
	master.Pause()
	programtest.AwaitEqual(t, true, func() bool {
		ago, err := strconv.Atoi(replica.info("replication", "master_last_io_seconds_ago"))
		return err == nil && ago >= 5
	}, "last I/O grows")
	assert.Equal(t, "up", replica.info("replication", "master_link_status"))
}

func TestIdleLinkHearsFromItsMaster(t *testing.T) {
	t.Parallel()
	_, replica := pair(t, nil)
	for end := time.Now().Add(6 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		ago, err := strconv.Atoi(replica.info("replication", "master_last_io_seconds_ago"))
		require.NoError(t, err)
		assert.LessOrEqual(t, ago, 4)
	}
}

func TestWrongMasterAuthHealsAfterItIsSet(t *testing.T) {
	t.Parallel()
	master := startNode(t, options{"requirepass": "secret"})
	replica := startNode(t, options{"masterauth": "wrong", "slaveof": "127.0.0.1 " + strconv.Itoa(master.Port)})
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		require.Equal(t, "down", replica.info("replication", "master_link_status"))
	}
	replica.must("CONFIG", "SET", "masterauth", "secret")
	replica.awaitSynced(master)
}

func TestSwappedRolesAreRefusedForSomeSeconds(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, nil)
	replica.must("SLAVEOF", "NO", "ONE")
	assert.Equal(t, "ERR can't replicate your own replicas", master.do("SLAVEOF", "127.0.0.1", replica.Port))
	programtest.AwaitEqualWithin(t, "OK", 15*time.Second, func() string { return master.do("SLAVEOF", "127.0.0.1", replica.Port) }, "swap")
	master.awaitSynced(replica)
	assert.Equal(t, "1", master.info("stats", "sync_partial_ok"), "as a master it had served one partial sync")
	assert.Equal(t, "0", replica.info("stats", "sync_full"), "the old master had no write of its own")
}

func TestPublishTravelsWithTheLog(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, nil)
	sub := replica.Client.Subscribe(context.Background(), "news")
	defer func() { _ = sub.Close() }()
	_, err := sub.Receive(context.Background())
	require.NoError(t, err)
	before := master.sequence()
	assert.Equal(t, "0", master.do("PUBLISH", "news", "hello"))
	assert.Equal(t, before+1, master.sequence())
	select {
	case message := <-sub.Channel():
		assert.Equal(t, "hello", message.Payload)
	case <-time.After(programtest.Patience):
		assert.Fail(t, "no message")
	}
	replica.awaitSynced(master)
	assert.Equal(t, "1", replica.do("PUBLISH", "news", "local"))
	assert.Equal(t, before+1, replica.sequence(), "a replica's publish stays local")
}

func TestPatternSubscription(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	sub := n.Client.PSubscribe(context.Background(), "ne*")
	defer func() { _ = sub.Close() }()
	_, err := sub.Receive(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "1", n.do("PUBLISH", "news", "hello"))
	message := <-sub.Channel()
	assert.Equal(t, "hello", message.Payload)
	assert.Equal(t, "ne*", message.Pattern)
	assert.Equal(t, "news", message.Channel)
}
