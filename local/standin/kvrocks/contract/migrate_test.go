package contract

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// startMigration asks for slot 3300 to move from the first to the second shard, until the source takes the order.
func startMigration(t *testing.T, from *node) {
	t.Helper()
	from.must("CLUSTERX", "MIGRATE", slotB, id(1))
}

// fillSlotB writes the keys {b}0, {b}1, … with their numbers as values.
func (n *node) fillSlotB(count int) {
	n.t.Helper()
	for i := range count {
		n.must("SET", fmt.Sprintf("{b}%d", i), i)
	}
}

func (n *node) awaitMigration(state string) {
	n.t.Helper()
	programtest.AwaitEqual(n.t, state, func() string { return n.moveInfo("migrating_state") }, "migration")
}

// moved is the topology after the slot has moved.
func moved(first, second, replica *node) []string {
	return []string{
		member(0, first, "master - 0-3299 3301-8191"), member(1, second, "master - 3300 8192-16383"),
		member(2, replica, "slave "+id(0)),
	}
}

// migrateTypes are the ways of moving keys, and how each is slowed down to take seconds for 200 keys of which each has a
// value of so many bytes.
var migrateTypes = map[string]struct {
	slow  options
	bytes int
}{
	"redis-command": {options{"migrate-type": "redis-command", "migrate-speed": "200"}, 6},
	"raw-key-value": {options{"migrate-type": "raw-key-value", "migrate-batch-rate-limit-mb": "1"}, 20_000},
}

func TestMigrationMovesASlot(t *testing.T) {
	for migrateType := range migrateTypes {
		t.Run(migrateType, func(t *testing.T) {
			t.Parallel()
			movesASlot(t, options{"migrate-type": migrateType})
		})
	}
}

func movesASlot(t *testing.T, settings options) {
	t.Helper()
	first, second, replica, _ := twoShards(t, settings)
	first.fillSlotB(50)
	first.do("HSET", "{b}h", "f", "v")
	first.do("RPUSH", "{b}l", "a", "b")
	first.do("SADD", "{b}s", "m")
	first.do("ZADD", "{b}z", "2", "m")
	first.must("SET", "{b}ttl", "v", "EX", "1000")
	first.must("SET", "{c}other", "v")
	assert.Empty(t, first.moveInfo("migrating_state"), "no line before the first migration")

	startMigration(t, first)
	first.awaitMigration("success")
	assert.Equal(t, "3300", first.moveInfo("migrating_slot(s)"))
	assert.Equal(t, id(1), first.moveInfo("destination_node"))
	assert.Equal(t, "success", second.moveInfo("import_state"))
	assert.Equal(t, "3300", second.moveInfo("importing_slot(s)"))

	toSecond := fmt.Sprintf("MOVED 3300 127.0.0.1:%d", second.Port)
	assert.Equal(t, toSecond, first.do("GET", "{b}7"))
	assert.Equal(t, "7", second.do("GET", "{b}7"), "served before the topology says so")
	assert.Equal(t, "ERR Can't migrate slot which has been migrated", first.do("CLUSTERX", "MIGRATE", slotB, id(1)))

	setNodes(t, 2, moved(first, second, replica), second, first, replica)
	assert.Equal(t, toSecond, first.do("SET", "{b}7", "v"))
	assert.Equal(t, "[]", first.do("KEYS", "{b}*"), "the source has cleared the slot")
	assert.Equal(t, "v", first.do("GET", "{c}other"))
	assert.Equal(t, "v", second.do("HGET", "{b}h", "f"))
	assert.Equal(t, "[a b]", second.do("LRANGE", "{b}l", "0", "-1"))
	assert.Equal(t, "[m]", second.do("SMEMBERS", "{b}s"))
	assert.Equal(t, "2", second.do("ZSCORE", "{b}z", "m"))
	ttl, err := strconv.Atoi(second.do("TTL", "{b}ttl"))
	require.NoError(t, err)
	assert.InDelta(t, 1000, ttl, 30)
	replica.awaitText("[]", "KEYS", "{b}*")
}

func TestMigrationTakesWritesAlong(t *testing.T) {
	for migrateType, of := range migrateTypes {
		t.Run(migrateType, func(t *testing.T) {
			t.Parallel()
			takesWritesAlong(t, of.slow, strings.Repeat("b", of.bytes))
		})
	}
}

func takesWritesAlong(t *testing.T, settings options, before string) {
	t.Helper()
	first, second, replica, _ := twoShards(t, settings)
	for i := range 200 {
		first.must("SET", fmt.Sprintf("{b}%d", i), before)
	}
	startMigration(t, first)
	written := 0
	for i := 0; i < 200 && first.moveInfo("migrating_state") == "start"; i++ {
		if first.do("SET", fmt.Sprintf("{b}%d", i), "during") != "OK" {
			break // TRYAGAIN or MOVED: being handed over
		}
		written = i + 1
	}
	first.awaitMigration("success")
	setNodes(t, 2, moved(first, second, replica), second, first, replica)
	require.Positive(t, written)
	for i := range 200 {
		want := before
		if i < written {
			want = "during"
		}
		assert.Equal(t, want, second.do("GET", fmt.Sprintf("{b}%d", i)))
	}
}

func TestMigrationRefusals(t *testing.T) {
	t.Parallel()
	first, second, replica, _ := twoShards(t, nil)
	for _, step := range []struct {
		on   *node
		args []any
		want string
	}{
		{first, []any{slotB, id(9)}, "ERR Can't find the destination node id"},
		{first, []any{slotB, id(0)}, "ERR Can't migrate slot to myself"},
		{first, []any{slotB, id(2)}, "ERR Can't migrate slot to a slave"},
		{first, []any{9000, id(1)}, "ERR Can't migrate slot which doesn't belong to me"},
		{second, []any{slotB, id(1)}, "ERR Can't migrate slot which doesn't belong to me"},
		{replica, []any{slotB, id(1)}, "ERR Can't migrate slot which doesn't belong to me"},
		{first, []any{slotB, id(1), "LATER"}, "ERR Invalid sync flag"},
		{first, []any{slotB, id(1), "ASYNC", 5}, "ERR Async migration does not support timeout"},
		{first, []any{slotB}, "ERR wrong number of arguments"},
	} {
		args := append([]any{"CLUSTERX", "MIGRATE"}, step.args...)
		assert.Equal(t, step.want, step.on.do(args...), "%v", step.args)
	}
	assertContains(t, first.do("CLUSTERX", "MIGRATE", "x", id(1)), "Invalid slot id")
	assertContains(t, first.do("CLUSTERX", "MIGRATE", "5-4", id(1)), "Invalid slot range")
}

func TestOneMigrationAtATime(t *testing.T) {
	t.Parallel()
	first, _, _, _ := twoShards(t, options{"migrate-speed": "20"})
	first.fillSlotB(60)
	startMigration(t, first)
	assert.Equal(t, "ERR There is already a migrating job", first.do("CLUSTERX", "MIGRATE", 1, id(1)))
	assert.Equal(t, "start", first.moveInfo("migrating_state"))
	assertContains(t, first.do("CLUSTER", "NODES"), "[3300->-"+id(1)+"]")
	first.awaitMigration("success")
}

func TestMigrationWaitsWhenAskedTo(t *testing.T) {
	t.Parallel()
	first, second, _, _ := twoShards(t, nil)
	assert.Equal(t, "OK", first.do("CLUSTERX", "MIGRATE", slotB, id(1), "SYNC"))
	assert.Equal(t, "success", first.moveInfo("migrating_state"))
	assert.Equal(t, "v", second.do("GET", "{b}x"))
	assert.Equal(t, "OK", first.do("CLUSTERX", "MIGRATE", "10-12", id(1), "SYNC", 10))
	assert.Equal(t, "10-12", first.moveInfo("migrating_slot(s)"))
}

func TestMigrationToADeadNodeFails(t *testing.T) {
	t.Parallel()
	first, second, _, _ := twoShards(t, nil)
	second.Kill()
	startMigration(t, first)
	first.awaitMigration("fail")
	first.must("SET", "{b}x", "still served")
	second.Start()
	startMigration(t, first)
	first.awaitMigration("success")
}

func TestTopologyOnTheDestinationBreaksAMigration(t *testing.T) {
	t.Parallel()
	first, second, _, topology := twoShards(t, options{"migrate-speed": "20"})
	first.fillSlotB(100)
	startMigration(t, first)
	programtest.AwaitEqual(t, "start", func() string { return second.moveInfo("import_state") }, "import")
	setNodes(t, 2, topology, second)
	first.awaitMigration("fail")
	assert.Equal(t, "7", first.do("GET", "{b}7"))
	programtest.AwaitEqual(t, "[]", func() string { return second.do("KEYS", "{b}*") }, "cleaned up")
	assert.Equal(t, "error", second.moveInfo("import_state"))
}

func TestSourceThatDiesLeavesNothingAtTheDestination(t *testing.T) {
	t.Parallel()
	first, second, _, _ := twoShards(t, options{"migrate-speed": "20"})
	first.fillSlotB(100)
	startMigration(t, first)
	programtest.AwaitEqual(t, true, func() bool { return second.do("KEYS", "{b}*") != "[]" }, "some keys have come")
	first.Kill()
	programtest.AwaitEqual(t, "error", func() string { return second.moveInfo("import_state") }, "import")
	assert.Equal(t, "[]", second.do("KEYS", "{b}*"))
	first.Start()
	assert.Equal(t, "7", first.do("GET", "{b}7"))
	assert.Empty(t, first.moveInfo("migrating_state"))
}

func TestMigratedIsForgottenByARestart(t *testing.T) {
	t.Parallel()
	first, second, _, _ := twoShards(t, nil)
	startMigration(t, first)
	first.awaitMigration("success")
	second.must("SET", "{b}x", "new")
	first.Kill()
	first.Start()
	assert.Equal(t, "v", first.do("GET", "{b}x"), "the source serves stale data again")
}

func TestFirstMigrationOfANodeThatBootedAsReplicaFails(t *testing.T) {
	t.Parallel()
	first, _, _, _ := twoShards(t, options{"slaveof": "127.0.0.1 OWN"})
	startMigration(t, first)
	first.awaitMigration("fail")
	time.Sleep(100 * time.Millisecond) // the job is cleaned up a moment after its result shows
	startMigration(t, first)
	first.awaitMigration("success")
}
