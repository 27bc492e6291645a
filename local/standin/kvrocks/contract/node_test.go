package contract

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// program is the binary under test. It is found once, before the tests.
var program string

func TestMain(m *testing.M) {
	os.Exit(programtest.Run(m, func(folder string) (err error) {
		program, err = programtest.Find("KVROCKS_BIN", folder, "kvrocks", "../cmd")
		return err
	}))
}

// node is one server.
type node struct {
	*programtest.Server
	t *testing.T
}

// options are lines of kvrocks.conf; OWN in a value is the node's port.
type options map[string]string

// startNode starts a node and waits until it answers.
func startNode(t *testing.T, opts options) *node {
	t.Helper()
	lines := options{"workers": "2"}
	maps.Copy(lines, opts)
	n := &node{Server: programtest.NewKvrocks(t, program, lines), t: t}
	n.Start()
	return n
}

func (n *node) loseData() {
	n.t.Helper()
	require.NoError(n.t, os.RemoveAll(n.Dir))
}

// do sends a command and returns the reply as text, or the text of the error.
func (n *node) do(words ...any) string {
	reply, err := n.Client.Do(context.Background(), words...).Result()
	return text(reply, err)
}

func text(reply any, err error) string {
	switch {
	case errors.Is(err, redis.Nil):
		return "(nil)"
	case err != nil:
		return err.Error()
	}
	if list, ok := reply.([]any); ok {
		words := make([]string, len(list))
		for i, item := range list {
			if failed, isErr := item.(error); isErr {
				words[i] = text(nil, failed)
			} else {
				words[i] = text(item, nil)
			}
		}
		return "[" + strings.Join(words, " ") + "]"
	}
	if reply == nil {
		return "(nil)"
	}
	return fmt.Sprint(reply)
}

// must sends a command that has to succeed with OK.
func (n *node) must(words ...any) {
	n.t.Helper()
	require.Equal(n.t, "OK", n.do(words...), "%v", words)
}

// info returns one field of INFO.
func (n *node) info(section, name string) string {
	return programtest.Field(n.do("INFO", section), name)
}

func (n *node) sequence() int {
	n.t.Helper()
	seq, err := strconv.Atoi(n.info("replication", "master_repl_offset"))
	require.NoError(n.t, err)
	return seq
}

func (n *node) awaitInfo(name, want string) {
	n.t.Helper()
	programtest.AwaitEqual(n.t, want, func() string { return n.info("replication", name) }, name+" of "+n.Addr())
}

func (n *node) awaitText(want string, words ...any) {
	n.t.Helper()
	programtest.AwaitEqual(n.t, want, func() string { return n.do(words...) }, fmt.Sprint(words, " on ", n.Addr()))
}

// awaitSynced waits until a replica's link is up and it has all of the master's records.
func (n *node) awaitSynced(master *node) {
	n.t.Helper()
	n.awaitInfo("master_link_status", "up")
	programtest.AwaitEqual(n.t, true, func() bool { return n.sequence() == master.sequence() }, "sequences equal")
}

// replicate makes a node a replica of another, retrying what a change of roles refuses for some seconds.
func (n *node) replicate(master *node) {
	n.t.Helper()
	n.awaitText("OK", "SLAVEOF", "127.0.0.1", master.Port)
}

func assertContains(t *testing.T, got, want string) {
	t.Helper()
	assert.Contains(t, got, want)
}
