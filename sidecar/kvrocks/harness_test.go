package kvrocks_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks/redistest"
)

const password = "pw-of-the-test"

// onEveryEngine runs one contract over each kind of data node that can be started here.
func onEveryEngine(t *testing.T, contract func(t *testing.T, engine redistest.Engine)) {
	t.Helper()
	for _, engine := range redistest.Engines() {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			contract(t, engine)
		})
	}
}

func newNode(t *testing.T, addr string, o kvrocks.Options) *kvrocks.Node {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second // only the tests of timeouts want a short one
	}
	n := kvrocks.NewNode(addr, o)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return n
}

// start runs a data node with the test's password and connects to it.
func start(t *testing.T, engine redistest.Engine) (*redistest.Process, *kvrocks.Node) {
	t.Helper()
	p := redistest.Start(t, engine, redistest.Config{Password: password})
	return p, newNode(t, p.Addr(), kvrocks.Options{Password: password})
}

// startLinked runs a master and a replica that is linked to it.
func startLinked(t *testing.T, engine redistest.Engine) (p *redistest.Process, master, replica *kvrocks.Node) {
	t.Helper()
	p, master = start(t, engine)
	_, replica = start(t, engine)
	require.NoError(t, replica.ReplicaOf(t.Context(), "127.0.0.1", p.Port))
	awaitInfo(t, replica, "the link", linked)
	return p, master, replica
}

func linked(i kvrocks.NodeInfo) bool { return i.LinkUp && !i.SyncInProgress }

func observe(t *testing.T, n *kvrocks.Node) kvrocks.NodeInfo {
	t.Helper()
	info, err := n.Observe(t.Context())
	require.NoError(t, err)
	return info
}

// awaitInfo waits until the node says what is wanted.
func awaitInfo(t *testing.T, n *kvrocks.Node, what string, wanted func(kvrocks.NodeInfo) bool) kvrocks.NodeInfo {
	t.Helper()
	var info kvrocks.NodeInfo
	redistest.Await(t, what, func() bool {
		var err error
		info, err = n.Observe(t.Context())
		return err == nil && wanted(info)
	})
	return info
}
