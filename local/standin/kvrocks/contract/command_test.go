package contract

import (
	"context"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	for command, want := range map[string]string{
		"REPLICAOF no one":           "ERR unknown command `REPLICAOF`, with args beginning with: `no`, `one`",
		"FAILOVER":                   "ERR unknown command `FAILOVER`, with args beginning with: ",
		"WAIT 1 0":                   "ERR unknown command `WAIT`, with args beginning with: `1`, `0`",
		"ACL WHOAMI":                 "ERR unknown command `ACL`, with args beginning with: `WHOAMI`",
		"CLIENT PAUSE 100":           "ERR Syntax error, try CLIENT LIST|INFO|KILL ip:port|GETNAME|SETNAME",
		"CLIENT SETINFO lib-name go": "ERR Syntax error, try CLIENT LIST|INFO|KILL ip:port|GETNAME|SETNAME",
		"CLIENT KILL 1.2.3.4:5":      "ERR No such client",
		"SLAVEOF 127.0.0.1 OWN":      "ERR can't replicate itself",
		"SLAVEOF no-such.invalid 1":  "ERR Can not resolve hostname: no-such.invalid",
		"SLAVEOF 127.0.0.1 x":        "ERR port should be number",
		"CONFIG SET port 1":          "ERR CONFIG SET 'port' error: Unsupported CONFIG parameter: port",
		"CONFIG SET slaveof x":       "ERR CONFIG SET 'slaveof' error: Unsupported CONFIG parameter: slaveof",
		"CONFIG SET bind x":          "ERR CONFIG SET 'bind' error: Unsupported CONFIG parameter: bind",
		"CONFIG SET dir x":           "ERR CONFIG SET 'dir' error: Unsupported CONFIG parameter: dir",
		"CONFIG SET log-dir x":       "ERR CONFIG SET 'log-dir' error: Unsupported CONFIG parameter: log-dir",
		"CONFIG SET cluster-enabled x": "ERR CONFIG SET 'cluster-enabled' error: Unsupported CONFIG parameter: " +
			"cluster-enabled",
		"CONFIG SET use-rsid-psync no": "ERR CONFIG SET 'use-rsid-psync' error: Unsupported CONFIG parameter: " +
			"use-rsid-psync",
		"CONFIG SET nonsense x":   "ERR CONFIG SET 'nonsense' error: Unsupported CONFIG parameter: nonsense",
		"CONFIG SET maxclients x": "ERR CONFIG SET 'maxclients' error: failed to set new value: not started as an integer",
		"CONFIG SET maxclients 1x": "ERR CONFIG SET 'maxclients' error: failed to set new value: " +
			"encounter non-integer characters",
		"CONFIG SET maxclients -1": "ERR CONFIG SET 'maxclients' error: failed to set new value: out of numeric range",
		"CONFIG SET slave-read-only x": "ERR CONFIG SET 'slave-read-only' error: failed to set new value: " +
			"argument must be 'yes' or 'no'",
		"CONFIG RESETSTAT":    "ERR CONFIG subcommand must be one of GET, SET, REWRITE",
		"KEYS *a":             "ERR only keys prefix match was supported",
		"GET":                 "ERR wrong number of arguments",
		"EXEC":                "ERR EXEC without MULTI",
		"DISCARD":             "ERR DISCARD without MULTI",
		"SCRIPT KILL":         "ERR Unknown SCRIPT subcommand or wrong number of arguments",
		"DBSIZE x":            "ERR DBSIZE subcommand only supports scan",
		"PSYNC short 1":       "ERR Wrong replication id length",
		"REPLCONF x y":        "ERR unknown option",
		"HELLO 4":             "NOPROTO unsupported protocol version",
		"INFO server x":       "ERR syntax error",
		"DEBUG OBJECT x":      "ERR Syntax error, DEBUG SLEEP <seconds>|PROTOCOL <type>|DBSIZE-LIMIT <0|1>",
		"CLUSTER NODES":       "ERR Cluster mode is not enabled",
		"CLUSTERX VERSION":    "ERR Cluster mode is not enabled",
		"INCRBY k x":          "ERR value is not an integer or out of range",
		"ZADD k notanumber m": "ERR value is not a valid float",
	} {
		words := strings.Fields(strings.ReplaceAll(command, "OWN", n.Addr()[len("127.0.0.1:"):]))
		args := make([]any, len(words))
		for i, w := range words {
			args[i] = w
		}
		assert.Equal(t, want, n.do(args...), command)
	}
}

func TestAcceptedSettings(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	for name, value := range map[string]string{
		"masterauth": "secret", "replica-announce-ip": "10.0.0.1", "replica-announce-port": "7000", "maxclients": "100",
		"migrate-speed": "200", "slave-priority": "50", "timeout": "60",
	} {
		n.must("CONFIG", "SET", name, value)
		assert.Equal(t, "["+name+" "+value+"]", n.do("CONFIG", "GET", name))
	}
	assert.Equal(t, "[]", n.do("CONFIG", "GET", "nonsense"))
}

func TestBatchLimitOfMigrationsCrashesANodeOutOfClusterMode(t *testing.T) {
	t.Parallel()
	for _, option := range []string{"migrate-batch-rate-limit-mb", "migrate-batch-size-kb"} {
		n := startNode(t, nil)
		n.do("CONFIG", "SET", option, "8")
		n.AwaitExit()
		inCluster := startNode(t, options{"cluster-enabled": "yes"})
		inCluster.must("CONFIG", "SET", option, "8")
	}
}

func TestDataCommands(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	const wrongType = "WRONGTYPE Operation against a key holding the wrong kind of value"
	for _, step := range []struct{ command, want string }{
		{"SET s 1", "OK"},
		{"SET s 2 NX", "(nil)"},
		{"SET other 2 XX", "(nil)"},
		{"INCR s", "2"},
		{"INCRBY s 5", "7"},
		{"DECR s", "6"},
		{"APPEND s 0", "2"},
		{"GET s", "60"},
		{"STRLEN s", "2"},
		{"SETNX s x", "0"},
		{"TTL s", "-1"},
		{"EXPIRE s 100", "1"},
		{"SET t v EX 100", "OK"},
		{"TTL none", "-2"},
		{"EXPIRE none 1", "0"},
		{"MSET a 1 b 2", "OK"},
		{"MGET a b none", "[1 2 (nil)]"},
		{"EXISTS a b none", "2"},
		{"HSET h f1 v1 f2 v2", "2"},
		{"HGET h f1", "v1"},
		{"HGETALL h", "[f1 v1 f2 v2]"},
		{"HDEL h f1", "1"},
		{"RPUSH l b c", "2"},
		{"LPUSH l a", "3"},
		{"LRANGE l 0 -1", "[a b c]"},
		{"LLEN l", "3"},
		{"SADD m x y", "2"},
		{"SADD m x", "0"},
		{"SREM m y", "1"},
		{"SMEMBERS m", "[x]"},
		{"SCARD m", "1"},
		{"ZADD z 2 b 1 a", "2"},
		{"ZRANGE z 0 -1", "[a b]"},
		{"ZSCORE z b", "2"},
		{"TYPE s", "string"},
		{"TYPE h", "hash"},
		{"TYPE l", "list"},
		{"TYPE m", "set"},
		{"TYPE z", "zset"},
		{"TYPE none", "none"},
		{"GET h", wrongType},
		{"LPUSH h x", wrongType},
		{"KEYS a*", "[a]"},
		{"DEL a b none", "2"},
		{"DBSIZE", "0"},
		{"ECHO hi", "hi"},
		{"SELECT 3", "OK"},
		{"CLIENT SETNAME me", "OK"},
		{"FLUSHALL", "OK"},
		{"KEYS *", "[]"},
	} {
		args := []any{}
		for w := range strings.FieldsSeq(step.command) {
			args = append(args, w)
		}
		if step.want == wrongType {
			assertContains(t, n.do(args...), wrongType)
			continue
		}
		assert.Equal(t, step.want, n.do(args...), step.command)
	}
}

func TestTimeToLive(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	n.must("SET", "a", "v", "EX", "100")
	n.must("SET", "b", "v")
	assert.Equal(t, "1", n.do("EXPIRE", "b", "100"))
	for _, key := range []string{"a", "b"} {
		assert.Contains(t, []string{"99", "100"}, n.do("TTL", key), "rounded down")
	}
	n.must("SET", "short", "v", "PX", "20")
	n.awaitText("(nil)", "GET", "short")
}

func TestDBSizeKnowsOnlyTheLastScan(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	n.must("MSET", "a", "1", "b", "2")
	assert.Equal(t, "0", n.do("DBSIZE"))
	n.must("DBSIZE", "SCAN")
	n.awaitText("2", "DBSIZE")
	assertContains(t, n.info("keyspace", "db0"), "keys=2,")
}

func TestScanVisitsEachKeyOnce(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	want := map[string]bool{}
	for _, letter := range "abcdefghijklmnopqrstuvwxyz" {
		want["k:"+string(letter)] = true
		n.must("SET", "k:"+string(letter), "v")
	}
	n.must("SET", "other", "v")
	got := map[string]bool{}
	iterator := n.Client.Scan(context.Background(), 0, "k:*", 5).Iterator()
	for iterator.Next(context.Background()) {
		assert.False(t, got[iterator.Val()], iterator.Val())
		got[iterator.Val()] = true
	}
	require.NoError(t, iterator.Err())
	assert.Equal(t, want, got)
}

func TestTransactionOfAPromotion(t *testing.T) {
	t.Parallel()
	n := startNode(t, options{"slaveof": "127.0.0.1 OWN"})
	n.awaitInfo("master_link_status", "up")
	bystander := redis.NewClient(&redis.Options{Addr: n.Addr(), Protocol: 2, DisableIdentity: true, PoolSize: 1})
	defer func() { _ = bystander.Close() }()
	before, err := bystander.ClientID(context.Background()).Result()
	require.NoError(t, err)

	replies, err := n.Client.TxPipelined(context.Background(), func(p redis.Pipeliner) error {
		p.Do(context.Background(), "SLAVEOF", "NO", "ONE")
		p.Do(context.Background(), "CONFIG", "REWRITE")
		p.Do(context.Background(), "CLIENT", "KILL", "TYPE", "normal")
		p.Do(context.Background(), "CLIENT", "KILL", "TYPE", "pubsub")
		return nil
	})
	require.NoError(t, err)
	require.Len(t, replies, 4)
	n.awaitInfo("role", "master")
	n.must("SET", "k", "v")
	after, err := bystander.ClientID(context.Background()).Result()
	require.NoError(t, err, "the bystander reconnects")
	assert.NotEqual(t, before, after, "its connection was killed")
}

func TestTransactionSpoiledByAnUnknownCommand(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	conn := n.Client.Conn()
	defer func() { _ = conn.Close() }()
	do := func(words ...any) string { return text(conn.Do(context.Background(), words...).Result()) }
	assert.Equal(t, "OK", do("MULTI"))
	assert.Equal(t, "QUEUED", do("SET", "k", "v"))
	assertContains(t, do("NONSENSE"), "ERR unknown command")
	assert.Equal(t, "EXECABORT Transaction discarded", do("EXEC"))
	assert.Equal(t, "(nil)", do("GET", "k"))

	assert.Equal(t, "OK", do("WATCH", "k"))
	n.must("SET", "k", "changed")
	assert.Equal(t, "OK", do("MULTI"))
	assert.Equal(t, "QUEUED", do("SET", "k", "v"))
	assert.Equal(t, "(nil)", do("EXEC"), "a watched key has changed")
	assert.Equal(t, "changed", do("GET", "k"))
}
