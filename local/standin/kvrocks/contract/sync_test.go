package contract

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// diverge promotes the replica of a pair while its master is dead and writes extra keys on both, more on the old one.
// It returns with the old master running and still apart.
func diverge(t *testing.T, opts options, oldWrites, newWrites int) (old, current *node) {
	t.Helper()
	old, current = pair(t, opts)
	old.Kill()
	current.must("SLAVEOF", "NO", "ONE")
	old.Start()
	for i := range oldWrites {
		old.must("SET", "old"+strconv.Itoa(i), "v")
	}
	for i := range newWrites {
		current.must("SET", "new"+strconv.Itoa(i), "v")
	}
	return old, current
}

func TestDivergedMasterIsFullySynced(t *testing.T) {
	t.Parallel()
	for name, writes := range map[string][2]int{"ahead": {9, 2}, "behind": {2, 9}, "as many": {5, 5}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, current := diverge(t, nil, writes[0], writes[1])
			old.replicate(current)
			old.awaitSynced(current)
			assert.Equal(t, "(nil)", old.do("GET", "old0"))
			assert.Equal(t, "v", old.do("GET", "new0"))
			assert.Equal(t, "v", old.do("GET", "k"))
			assert.Equal(t, "1", current.info("stats", "sync_full"))
		})
	}
}

func TestWithoutReplicationIDsOnlyNumbersAreCompared(t *testing.T) {
	t.Parallel()
	old, current := diverge(t, options{"use-rsid-psync": "no"}, 3, 5)
	old.replicate(current)
	old.awaitSynced(current)
	assert.Equal(t, "v", old.do("GET", "old0"), "the diverged data stays for good")
	assert.Equal(t, "(nil)", old.do("GET", "new0"))
	assert.Equal(t, "v", old.do("GET", "new4"))
	assert.Equal(t, "0", current.info("stats", "sync_full"))
}

func TestEmptyMasterWipesItsReplicas(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, nil)
	for i := range 20 {
		master.must("SET", "k"+strconv.Itoa(i), "v")
	}
	replica.awaitSynced(master)
	master.Kill()
	master.loseData()
	master.Start()
	replica.awaitText("[]", "KEYS", "k*")
	replica.awaitSynced(master)
}

func TestFullSyncGoesOnFromItsEnd(t *testing.T) {
	t.Parallel()
	old, current := diverge(t, nil, 9, 2)
	old.replicate(current)
	old.awaitSynced(current)
	old.Kill()
	old.Start() // a master by its file
	assert.Equal(t, "v", old.do("GET", "new1"))
	old.replicate(current)
	old.awaitSynced(current)
	assert.Equal(t, "(nil)", old.do("GET", "old0"))
}

// fullSyncing returns a replica that is in the middle of a full sync and answers LOADING, for some seconds.
func fullSyncing(t *testing.T) (master, replica *node) {
	t.Helper()
	master, replica = startNode(t, nil), startNode(t, options{
		"slave-empty-db-before-fullsync": "yes", "fullsync-recv-file-delay": "2",
	})
	master.must("SET", "k", "v")
	for i := range 9 {
		replica.must("SET", "own"+strconv.Itoa(i), "v")
	}
	replica.must("SLAVEOF", "127.0.0.1", master.Port)
	programtest.AwaitEqual(t, true, func() bool { return strings.HasPrefix(replica.do("PING"), "LOADING") }, "loading")
	return master, replica
}

func TestAnswersLoadingDuringAFullSync(t *testing.T) {
	t.Parallel()
	master, replica := fullSyncing(t)
	const loading = "LOADING kvrocks is restoring the db from backup"
	assert.Equal(t, loading, replica.do("PING"))
	assert.Equal(t, loading, replica.do("GET", "k"))
	assert.Equal(t, "1", replica.info("persistence", "loading"))
	assert.NotContains(t, replica.do("INFO"), "# Replication")
	assert.Empty(t, replica.info("replication", "role"))
	replica.awaitText("PONG", "PING")
	replica.awaitSynced(master)
	assert.Equal(t, "v", replica.do("GET", "k"))
	assert.Equal(t, "(nil)", replica.do("GET", "own0"))
}

// A full sync that is aborted leaves a node with its old data, or with none at all, but never with a part.
func TestAbortedFullSync(t *testing.T) {
	t.Parallel()
	t.Run("with the old data", func(t *testing.T) {
		t.Parallel()
		master, replica := startNode(t, nil), startNode(t, options{"fullsync-recv-file-delay": "2"})
		master.must("SET", "k", "v")
		for i := range 9 {
			replica.must("SET", "own"+strconv.Itoa(i), "v")
		}
		before := replica.sequence()
		replica.must("SLAVEOF", "127.0.0.1", master.Port)
		replica.awaitInfo("master_sync_in_progress", "1")
		assert.Equal(t, before, replica.sequence())
		master.Kill()
		replica.awaitInfo("master_sync_in_progress", "0")
		assert.Equal(t, "down", replica.info("replication", "master_link_status"))
		assert.Equal(t, "v", replica.do("GET", "own0"))
		assert.Equal(t, "(nil)", replica.do("GET", "k"))
		assert.Equal(t, before, replica.sequence())
	})
	t.Run("emptied", func(t *testing.T) {
		t.Parallel()
		master, replica := fullSyncing(t)
		master.Kill()
		programtest.AwaitEqual(t, false, func() bool { return strings.HasPrefix(replica.do("PING"), "LOADING") }, "the end of it")
		replica.do("INFO")
		assert.NotEqual(t, 0, replica.AwaitExit(), "its database is closed")
		replica.Start() // a replica of nothing by its file
		assert.Equal(t, "(nil)", replica.do("GET", "own0"))
		assert.Equal(t, "(nil)", replica.do("GET", "k"))
		assert.Less(t, replica.sequence(), 9)
	})
}

func TestRoleWhileLoadingCrashes(t *testing.T) {
	t.Parallel()
	_, replica := fullSyncing(t)
	replica.do("ROLE")
	assert.NotEqual(t, 0, replica.AwaitExit())
}

func TestRoleOtherwiseAnswers(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, nil)
	assert.Equal(t, "[slave 127.0.0.1 "+strconv.Itoa(master.Port)+" connected "+strconv.Itoa(replica.sequence())+"]",
		replica.do("ROLE"))
	assertContains(t, master.do("ROLE"), "[master ")
}
