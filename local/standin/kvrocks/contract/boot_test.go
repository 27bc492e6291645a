package contract

import (
	"context"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBootsAsItsOwnReplica(t *testing.T) {
	t.Parallel()
	n := startNode(t, options{"slaveof": "127.0.0.1 OWN"})
	n.awaitInfo("master_link_status", "up")
	assert.Equal(t, "slave", n.info("replication", "role"))
	assert.Equal(t, "127.0.0.1", n.info("replication", "master_host"))
	assert.Equal(t, strconv.Itoa(n.Port), n.info("replication", "master_port"))
	n.awaitInfo("connected_slaves", "1")
	assert.Equal(t, "ip=127.0.0.1,port="+strconv.Itoa(n.Port)+",offset=0,lag=0", n.info("replication", "slave0"))
	assert.Equal(t, "READONLY You can't write against a read only slave.", n.do("SET", "k", "v"))
	assert.Equal(t, 0, n.sequence())
}

func TestBootsAsAWritableMaster(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	assert.Equal(t, "master", n.info("replication", "role"))
	assert.Equal(t, 1, n.sequence(), "a new replication history takes one number")
	n.must("SET", "k", "v")
	assert.Equal(t, 2, n.sequence())
	assert.Equal(t, "v", n.do("GET", "k"))
}

func TestUnknownOptionsOnlyWarn(t *testing.T) {
	t.Parallel()
	n := startNode(t, options{"slave-announce-ip": "10.0.0.1"})
	log, err := os.ReadFile(n.Conf + ".log")
	require.NoError(t, err)
	assertContains(t, string(log), "WARNING: 'slave-announce-ip'")
	assertContains(t, string(log), "is not a valid configuration key.")
}

func TestReportsItsVersions(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	assert.Equal(t, "4.0.0", n.info("server", "redis_version"))
	assert.NotEmpty(t, n.info("server", "kvrocks_version"))
	assert.Equal(t, "standalone", n.info("server", "redis_mode"))
	assert.Equal(t, strconv.Itoa(n.PID()), n.info("server", "process_id"))
	assert.Equal(t, "0", n.info("persistence", "loading"))
	n.do("GET", "k")
	assertContains(t, n.info("commandstats", "cmdstat_get"), "calls=1,")
}

func TestTerminatesCleanly(t *testing.T) {
	t.Parallel()
	n := startNode(t, options{"slaveof": "127.0.0.1 OWN"})
	n.Signal(syscall.SIGTERM)
	assert.Equal(t, 0, n.AwaitExit())
}

func TestAsksForThePassword(t *testing.T) {
	t.Parallel()
	n := startNode(t, options{"requirepass": "secret"})
	stranger := redis.NewClient(&redis.Options{Addr: n.Addr(), Protocol: 2, DisableIdentity: true, PoolSize: 1, MaxRetries: -1})
	defer func() { _ = stranger.Close() }()
	do := func(words ...any) string { return text(stranger.Do(context.Background(), words...).Result()) }
	assert.Equal(t, "NOAUTH Authentication required.", do("PING"))
	assert.Equal(t, "ERR Invalid password", do("AUTH", "wrong"))
	assert.Equal(t, "ERR wrong number of arguments", do("AUTH", "default", "secret"))
	assert.Equal(t, "NOAUTH Authentication required.", do("INFO"))
	assertContains(t, do("HELLO", "3", "AUTH", "default", "secret"), "proto 2")
	assert.Equal(t, "PONG", do("PING"))
	n.must("CONFIG", "SET", "requirepass", "other")
	assert.Equal(t, "PONG", do("PING"), "an authenticated connection is not cut by a new password")
}

func TestRefusesAPasswordWhereNoneIsSet(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	assert.Equal(t, "ERR Client sent AUTH, but no password is set", n.do("AUTH", "secret"))
}
