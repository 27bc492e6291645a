package contract

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// adapter is the node as the sidecar reaches it.
func (n *node) adapter() *kvrocks.Node {
	visitor := kvrocks.NewNode(n.Addr(), kvrocks.Options{Timeout: programtest.Patience, RoleTimeout: programtest.Patience})
	n.t.Cleanup(func() { _ = visitor.Close() })
	return visitor
}

// inLayout is a node in a layout as the sidecar gives it.
func inLayout(i int, n *node, master bool) layout.Node {
	return layout.Node{ID: id(i), Address: "127.0.0.1", Port: int32(n.Port), Master: master}
}

func TestTheSidecarGivesANodeItsPlace(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	first := startNode(t, options{"cluster-enabled": "yes", "slaveof": "127.0.0.1 OWN"})
	second := startNode(t, options{"cluster-enabled": "yes", "slaveof": "127.0.0.1 OWN"})
	a, b := first.adapter(), second.adapter()

	info, err := a.ClusterInfo(ctx)
	require.NoError(t, err)
	assert.Equal(t, kvrocks.ClusterInfo{Version: kvrocks.NoLayout}, info)
	_, err = a.ClusterNodes(ctx)
	require.ErrorIs(t, err, kvrocks.ErrClusterDown)
	mine, err := a.ClusterID(ctx)
	require.NoError(t, err)
	assert.Empty(t, mine)

	given := &layout.Layout{Version: 5, Shards: []layout.Shard{
		{Nodes: []layout.Node{inLayout(0, first, true), inLayout(1, second, false)}, Slots: slots.All()},
	}}
	require.NoError(t, a.SetLayout(ctx, id(0), given, false))
	require.NoError(t, b.SetLayout(ctx, id(1), given, false))
	nodes, err := a.ClusterNodes(ctx)
	require.NoError(t, err)
	assert.Equal(t, id(0), nodes.MyID)
	assert.Equal(t, given, nodes.Layout())
	mine, err = b.ClusterID(ctx)
	require.NoError(t, err)
	assert.Equal(t, id(1), mine)
	first.must("SET", "k", "v")
	second.awaitSynced(first)

	require.ErrorIs(t, a.SetLayout(ctx, id(0), &layout.Layout{Version: 4, Shards: given.Shards}, false), kvrocks.ErrOldLayout)
	stopped := &layout.Layout{Version: 5, Shards: []layout.Shard{
		{Nodes: []layout.Node{inLayout(1, second, true)}, Slots: slots.All()}, {Nodes: []layout.Node{inLayout(0, first, true)}},
	}}
	require.NoError(t, a.SetLayout(ctx, id(0), stopped, false))
	assert.Equal(t, "OK", first.do("SET", "k", "v"), "the same version changes nothing")
	require.NoError(t, a.SetLayout(ctx, id(0), stopped, true))
	assert.Contains(t, first.do("SET", "k", "w"), "MOVED", "unless it is forced: a master without slots takes no writes")
	second.awaitSynced(first)

	before := first.sequence()
	require.NoError(t, a.PublishMarker(ctx, "marker"))
	assert.Greater(t, first.sequence(), before, "a master without slots can be marked")
	second.awaitSynced(first)
}

func TestTheSidecarFollowsAMoveOfSlots(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	first, second, replica, _ := twoShards(t, options{"migrate-speed": "1"})
	for i := range 40 {
		first.must("SET", fmt.Sprintf("{b}%d", i), "v")
	}
	a, b := first.adapter(), second.adapter()
	slot := slots.Range{First: 3300, Last: 3300}
	for _, refused := range []struct {
		on   *kvrocks.Node
		to   int
		want error
	}{
		{a, 9, kvrocks.ErrUnknownNode},
		{a, 2, kvrocks.ErrUnknownNode},
		{b, 0, kvrocks.ErrNotOwner},
		{replica.adapter(), 1, kvrocks.ErrNotOwner},
	} {
		require.ErrorIs(t, refused.on.MigrateSlots(ctx, slot, id(refused.to)), refused.want)
	}

	// The speed is one key per second until it is set, and none is limited by 0.
	require.NoError(t, a.ConfigSet(ctx, "migrate-speed", "0"))
	require.NoError(t, a.MigrateSlots(ctx, slot, id(1)))
	move := layout.SlotMove{Slots: slot, To: id(1)}
	programtest.AwaitEqual(t, layout.MoveSucceeded, func() layout.MoveState {
		info, err := a.ClusterInfo(ctx)
		require.NoError(t, err)
		require.NotNil(t, info.Outgoing)
		move.State = info.Outgoing.State
		assert.Equal(t, move, *info.Outgoing)
		return info.Outgoing.State
	}, "the move")
	info, err := b.ClusterInfo(ctx)
	require.NoError(t, err)
	assert.Equal(t, &layout.SlotMove{Slots: slot, State: layout.MoveSucceeded}, info.Incoming)
	require.ErrorIs(t, a.MigrateSlots(ctx, slot, id(1)), kvrocks.ErrMigrated)
	for _, visitor := range []*kvrocks.Node{a, b} {
		keys, err := visitor.CountKeys(ctx, slot, 1000)
		require.NoError(t, err)
		assert.Equal(t, int64(41), keys, "on both ends, and {b}x is one of them")
	}
}
