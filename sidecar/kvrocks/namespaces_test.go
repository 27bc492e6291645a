package kvrocks_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// namespaceServer does with tokens what src/server/namespace.cc of kvrocks 2.10.1 does: the switch drops those of the memory, as
// none are in the database; a replica takes none.
type namespaceServer struct {
	mu      sync.Mutex
	replica bool
	unknown bool // a kvrocks without namespaces
	on      bool
	tokens  []string // namespace, token, …
	calls   []string
}

func (s *namespaceServer) reply(args []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	command := strings.ToUpper(strings.Join(args[:min(2, len(args))], " "))
	if command != "CLIENT SETINFO" && !strings.HasPrefix(command, "HELLO") {
		s.calls = append(s.calls, strings.Join(args, " "))
	}
	switch {
	case strings.HasPrefix(command, "HELLO"):
		return helloOK
	case s.unknown && args[0] == "NAMESPACE":
		return "-ERR unknown command\r\n"
	case command == "NAMESPACE GET":
		list := append(append([]string{}, s.tokens...), "__namespace", "pw")
		text := "*" + strconv.Itoa(len(list)) + "\r\n"
		for _, word := range list {
			text += bulk(word)
		}
		return text
	case command == "CONFIG SET":
		if !s.on {
			s.on, s.tokens = true, nil
		}
		return "+OK\r\n"
	case command == "NAMESPACE ADD" && s.replica:
		return "-ERR namespace is read-only for slave\r\n"
	case command == "NAMESPACE ADD":
		for i := 0; i < len(s.tokens); i += 2 {
			if s.tokens[i] == args[2] && s.tokens[i+1] == args[3] {
				return "+OK\r\n"
			}
		}
		s.tokens = append(s.tokens, args[2:4]...)
		return "+OK\r\n"
	}
	return "+OK\r\n"
}

func TestTokensOutliveTheSwitchToTheDatabase(t *testing.T) {
	t.Parallel()
	s := &namespaceServer{tokens: []string{"shop", "t1", "mail", "t2"}}
	node := kvrocks.NewNode(fakeServer(t, s.reply), kvrocks.Options{})
	defer func() { _ = node.Close() }()
	require.NoError(t, node.KeepNamespaces(t.Context()))
	assert.Equal(t, []string{"shop", "t1", "mail", "t2"}, s.tokens)
	require.NoError(t, node.KeepNamespaces(t.Context()), "a second call changes nothing")
	assert.Equal(t, []string{"shop", "t1", "mail", "t2"}, s.tokens)
	assert.NotContains(t, strings.Join(s.calls, "\n"), "NAMESPACE ADD __namespace", "its token is the password")
}

func TestAReplicaWaitsForTheTokensOfItsMaster(t *testing.T) {
	t.Parallel()
	s := &namespaceServer{tokens: []string{"shop", "t1"}, replica: true}
	node := kvrocks.NewNode(fakeServer(t, s.reply), kvrocks.Options{})
	defer func() { _ = node.Close() }()
	require.NoError(t, node.KeepNamespaces(t.Context()))
	assert.True(t, s.on)
}

func TestWithoutNamespacesTheSwitchIsASetting(t *testing.T) {
	t.Parallel()
	s := &namespaceServer{unknown: true}
	node := kvrocks.NewNode(fakeServer(t, s.reply), kvrocks.Options{})
	defer func() { _ = node.Close() }()
	require.NoError(t, node.KeepNamespaces(t.Context()))
	assert.True(t, s.on)
}
