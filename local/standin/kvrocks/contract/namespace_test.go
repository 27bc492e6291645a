package contract

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// What is here was read in src/server/namespace.cc, src/commands/cmd_server.cc and src/cluster/replication.cc of kvrocks 2.10.1.

var withNamespaces = options{"requirepass": "pw", "masterauth": "pw", "repl-namespace-enabled": "yes"}

// as is a client of the node that logs in with a token.
func (n *node) as(token string) func(words ...any) string {
	client := redis.NewClient(&redis.Options{Addr: n.Addr(), Password: token, Protocol: 2, DisableIdentity: true})
	n.t.Cleanup(func() { _ = client.Close() })
	return func(words ...any) string { return text(client.Do(context.Background(), words...).Result()) }
}

func TestTokensInTheDatabaseOutliveARestart(t *testing.T) {
	t.Parallel()
	n := startNode(t, withNamespaces)
	admin := n.as("pw")
	assert.Equal(t, "OK", admin("NAMESPACE", "ADD", "shop", "t1"))
	assert.Equal(t, "OK", admin("NAMESPACE", "ADD", "shop", "t1"), "the same again")
	assert.Contains(t, admin("NAMESPACE", "ADD", "shop", "t2"), "the namespace already exists")
	assert.Contains(t, admin("NAMESPACE", "ADD", "mail", "t1"), "the token already exists")
	assert.Contains(t, admin("NAMESPACE", "ADD", "mail", "pw"), "duplicated with requirepass")
	assert.Equal(t, "[shop t1 __namespace pw]", admin("NAMESPACE", "GET", "*"))
	assert.Contains(t, admin("CONFIG", "SET", "repl-namespace-enabled", "no"), "cannot switch off repl_namespace_enabled")

	shop := n.as("t1")
	assert.Equal(t, "OK", shop("SET", "k", "of the shop"))
	assert.Equal(t, "[0 [k]]", shop("SCAN", "0"))
	assert.Equal(t, "[0 []]", admin("SCAN", "0"), "SCAN sees the keys of its own namespace alone")
	assert.Equal(t, "(nil)", admin("GET", "k"))
	assert.Contains(t, shop("CONFIG", "GET", "*"), "admin permission required")
	assert.Contains(t, shop("NAMESPACE", "GET", "*"), "admin permission required")

	n.Kill()
	n.Start()
	programtest.AwaitEqual(t, "of the shop", func() string { return n.as("t1")("GET", "k") }, "the token after the restart")
	assert.Equal(t, "OK", n.as("pw")("NAMESPACE", "DEL", "shop"))
	assert.Contains(t, n.as("t1")("GET", "k"), "password")
}

func TestReplicasHaveTheTokensOfTheirMaster(t *testing.T) {
	t.Parallel()
	master, replica := startNode(t, withNamespaces), startNode(t, withNamespaces)
	require.Equal(t, "OK", master.as("pw")("NAMESPACE", "ADD", "before", "t1"))
	require.Equal(t, "OK", replica.as("pw")("SLAVEOF", "127.0.0.1", master.Port))
	programtest.AwaitEqual(t, "PONG", func() string { return replica.as("t1")("PING") }, "a token by full sync")
	require.Equal(t, "OK", master.as("pw")("NAMESPACE", "ADD", "after", "t2"))
	programtest.AwaitEqual(t, "PONG", func() string { return replica.as("t2")("PING") }, "a token by replication")
	assert.Contains(t, replica.as("pw")("NAMESPACE", "ADD", "more", "t3"), "namespace is read-only for slave")

	require.Equal(t, "OK", replica.as("pw")("SLAVEOF", "NO", "ONE"))
	assert.Equal(t, "[before t1 after t2 __namespace pw]", replica.as("pw")("NAMESPACE", "GET", "*"))
}

func TestTheSidecarKeepsTokensWhenItSwitchesToTheDatabase(t *testing.T) {
	t.Parallel()
	n := startNode(t, options{"requirepass": "pw", "masterauth": "pw"})
	require.Equal(t, "OK", n.as("pw")("NAMESPACE", "ADD", "shop", "t1"))
	visitor := kvrocks.NewNode(n.Addr(), kvrocks.Options{Password: "pw", Timeout: programtest.Patience})
	defer func() { _ = visitor.Close() }()
	require.NoError(t, visitor.KeepNamespaces(context.Background()))
	assert.Equal(t, "PONG", n.as("t1")("PING"))
	assert.Equal(t, "[repl-namespace-enabled yes]", n.as("pw")("CONFIG", "GET", "repl-namespace-enabled"))
}

func TestAClusterHasNoNamespaces(t *testing.T) {
	t.Parallel()
	n := startNode(t, options{"cluster-enabled": "yes", "requirepass": "pw"})
	assert.Contains(t, n.as("pw")("NAMESPACE", "ADD", "shop", "t1"), "forbidden to add namespace when cluster mode was enabled")
}
