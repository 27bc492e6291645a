package contract

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

func TestSlaveOfWaitsForTheOldLinkToEndItsSleep(t *testing.T) {
	t.Parallel()
	master := startNode(t, options{"requirepass": "secret"})
	replica := startNode(t, options{"masterauth": "wrong", "slaveof": "127.0.0.1 " + strconv.Itoa(master.Port)})
	time.Sleep(time.Second) // the link is refused at once and then sleeps 10 s
	begin := time.Now()
	pong := make(chan time.Duration, 1)
	go func() {
		time.Sleep(500 * time.Millisecond)
		replica.do("PING")
		pong <- time.Since(begin)
	}()
	replica.must("SLAVEOF", "NO", "ONE")
	assert.Greater(t, time.Since(begin), 5*time.Second)
	assert.Greater(t, <-pong, 5*time.Second, "nothing else is answered meanwhile")
	replica.must("SET", "k", "v")
}

func TestLinkThatNeverWorkedCountsFromTheEpoch(t *testing.T) {
	t.Parallel()
	n := startNode(t, options{"slaveof": "127.0.0.1 " + strconv.Itoa(programtest.FreePort(t))})
	ago, err := strconv.ParseInt(n.info("replication", "master_last_io_seconds_ago"), 10, 64)
	require.NoError(t, err)
	assert.InDelta(t, time.Now().Unix(), ago, 100)
	assert.Equal(t, "down", n.info("replication", "master_link_status"))
}

func TestGoneReplicaIsListedForSomeSeconds(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, nil)
	replica.Kill()
	assert.Equal(t, "1", master.info("replication", "connected_slaves"))
	programtest.AwaitEqualWithin(t, "0", 15*time.Second, func() string { return master.info("replication", "connected_slaves") }, "replicas")
}

func TestSlaveOfTheSameMasterChangesNothing(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, nil)
	replica.must("SLAVEOF", "127.0.0.1", master.Port)
	assert.Equal(t, "up", replica.info("replication", "master_link_status"))
	assert.Equal(t, "1", master.info("stats", "sync_partial_ok"), "no second sync")
	before := master.sequence()
	master.must("SLAVEOF", "NO", "ONE")
	assert.Equal(t, before, master.sequence(), "a master that is told to be one stays as it is")
}

func TestPromotionTakesOneNumber(t *testing.T) {
	t.Parallel()
	_, replica := pair(t, nil)
	before := replica.sequence()
	replica.must("SLAVEOF", "NO", "ONE")
	assert.Equal(t, before+1, replica.sequence())
}

func TestReplicaOfAReplica(t *testing.T) {
	t.Parallel()
	master, middle := pair(t, nil)
	last := startNode(t, nil)
	last.replicate(middle)
	last.awaitSynced(middle)
	master.must("SET", "k2", "v2")
	last.awaitText("v2", "GET", "k2")
	assert.Equal(t, "1", middle.info("replication", "connected_slaves"))
}

func TestKillingTheMasterLinkReconnects(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, nil)
	assert.Equal(t, "1", replica.do("CLIENT", "KILL", "TYPE", "master"))
	programtest.AwaitEqual(t, "2", func() string { return master.info("stats", "sync_partial_ok") }, "second sync")
	replica.awaitSynced(master)
	killed := master.do("CLIENT", "KILL", "ADDR", "127.0.0.1:"+strconv.Itoa(replica.Port))
	assert.Contains(t, []string{"1", "2"}, killed, "the feed of the killed link may still be there")
	programtest.AwaitEqual(t, "3", func() string { return master.info("stats", "sync_partial_ok") }, "third sync")
}

func TestRoleWhileFetching(t *testing.T) {
	t.Parallel()
	master, replica := startNode(t, nil), startNode(t, options{"fullsync-recv-file-delay": "2"})
	master.must("SET", "k", "v")
	for i := range 9 {
		replica.must("SET", "own"+strconv.Itoa(i), "v")
	}
	replica.must("SLAVEOF", "127.0.0.1", master.Port)
	replica.awaitInfo("master_sync_in_progress", "1")
	assert.Equal(t, "down", replica.info("replication", "master_link_status"))
	assert.Equal(t, "v", replica.do("GET", "own0"), "the old data is served until the new has come")
	assertContains(t, replica.do("ROLE"), "[slave 127.0.0.1 "+strconv.Itoa(master.Port)+" sync ")
	replica.awaitSynced(master)
	assert.Equal(t, "(nil)", replica.do("GET", "own0"))
}

func TestInfoLayout(t *testing.T) {
	t.Parallel()
	_, replica := pair(t, nil)
	var sections, fields []string
	for line := range strings.SplitSeq(replica.do("INFO"), "\r\n") {
		if title, found := strings.CutPrefix(line, "# "); found {
			sections = append(sections, title)
		}
	}
	for line := range strings.SplitSeq(replica.do("INFO", "replication"), "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		fields = append(fields, name)
	}
	want := []string{"Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU", "Commandstats", "Cluster", "Keyspace"}
	require.GreaterOrEqual(t, len(sections), len(want))
	assert.Equal(t, want, sections[:len(want)])
	assert.Equal(t, []string{
		"# Replication", "role", "master_host", "master_port", "master_link_status", "master_sync_unrecoverable_error",
		"master_sync_in_progress", "master_last_io_seconds_ago", "slave_repl_offset", "slave_priority", "connected_slaves",
		"master_repl_offset", "",
	}, fields)
}

func TestNodeThatOnlyGotItsIDDoesNotStartAgain(t *testing.T) {
	t.Parallel()
	n := clusterNode(t, 0, nil)
	n.Kill()
	n.Launch()
	assert.NotEqual(t, 0, n.AwaitExit())
	assertContains(t, n.Log(), "Invalid cluster version")
}
