package contract

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
)

// client is the controller as the sidecar reaches it.
func (c *controller) sidecar(password string) *kvctl.Client {
	client := kvctl.New(kvctl.Options{
		URL: c.url(), Namespace: "ns", Cluster: "c", Password: password, Timeout: programtest.Patience,
	})
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestTheSidecarKeepsARecord(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := startController(t, slow)
	nodes := startNodes(t, 5, nil)
	at := addrs(nodes)
	client := c.sidecar("")
	read := func() *kvctl.Record {
		t.Helper()
		record, err := client.Get(ctx)
		require.NoError(t, err)
		return record
	}

	_, err := client.Get(ctx)
	require.ErrorIs(t, err, kvctl.ErrNotFound)
	require.NoError(t, client.Delete(ctx), "of nothing")
	require.NoError(t, client.Create(ctx, [][]string{{at[0], at[1]}, {at[2], at[3], at[4]}}), "the namespace is made as well")
	require.ErrorIs(t, client.Create(ctx, [][]string{{"127.0.0.1:9"}}), kvctl.ErrExists)
	record := read()
	require.Len(t, record.Shards, 2)
	assert.Equal(t, int64(1), record.Version)
	assert.Equal(t, slots.Of(slots.Range{First: 0, Last: 8191}), record.Shards[0].Slots)
	first, second := record.Shards[0].Nodes[0], record.Shards[1].Nodes[0]
	assert.Equal(t, at[0], first.Endpoint().String())
	assert.True(t, first.Master)
	assert.Len(t, record.Shards[1].Nodes, 2, "shards have one size at first")
	stale, err := c.sidecar("another").Get(ctx)
	require.NoError(t, err)
	assert.True(t, stale.OtherPassword)
	assert.False(t, record.OtherPassword)

	for range 2 {
		require.NoError(t, client.AddNode(ctx, second.ID, at[4]))
	}
	record = read()
	assert.Len(t, record.Shards[1].Nodes, 3, "once")
	require.NoError(t, client.RecordSlots(ctx, slots.Range{First: 100, Last: 199}, second.ID))
	require.NoError(t, client.RecordSlots(ctx, slots.Range{First: 150, Last: 249}, second.ID), "half of them are there")
	record = read()
	assert.Equal(t, slots.Of(slots.Range{First: 100, Last: 249}, slots.Range{First: 8192, Last: 16383}), record.Shards[1].Slots)
	require.ErrorIs(t, client.RemoveShard(ctx, second.ID), kvctl.ErrRefused)
	require.ErrorIs(t, client.RemoveNode(ctx, second.ID), kvctl.ErrRefused)

	for range 2 {
		require.NoError(t, client.AddShard(ctx, []string{"127.0.0.1:9"}))
	}
	record = read()
	require.Len(t, record.Shards, 3)
	for range 2 {
		require.NoError(t, client.RemoveShard(ctx, record.Shards[2].Nodes[0].ID))
	}
	replica := record.Shards[1].Nodes[2]
	for range 2 {
		require.NoError(t, client.RemoveNode(ctx, replica.ID))
	}
	assert.Len(t, read().Shards, 2)
	assert.Equal(t, int64(7), read().Version, "nothing was done twice")

	// Changes that follow one another so quickly are not all pushed by the real program.
	require.NoError(t, client.RecordSlots(ctx, slots.Range{First: 100, Last: 249}, first.ID))
	c.get().push(t, 8, nodes[0])
	nodes[0].write("{b}x") // slot 3300
	nodes[1].awaitSynced(nodes[0])
	successor := record.Shards[0].Nodes[1]
	require.NoError(t, client.FailOver(ctx, first.ID, successor.ID))
	require.NoError(t, client.FailOver(ctx, first.ID, successor.ID), "it is done already")
	require.ErrorIs(t, client.FailOver(ctx, second.ID, first.ID), kvctl.ErrChanged)
	assert.Equal(t, successor.ID, read().Shards[0].Master().ID)

	c.get().push(t, 9, nodes[1])
	require.NoError(t, client.Delete(ctx))
	_, err = client.Get(ctx)
	require.ErrorIs(t, err, kvctl.ErrNotFound)
	require.NoError(t, client.Import(ctx, at[1]))
	require.ErrorIs(t, client.Import(ctx, at[1]), kvctl.ErrExists)
	assert.Equal(t, successor.ID, read().Shards[0].Master().ID)
}

func TestTheSidecarChangesThroughTheLeaderOnly(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	leader, follower := startPair(t)
	client := follower.sidecar("")
	require.NoError(t, client.Create(ctx, [][]string{{dead1}}))
	require.NoError(t, client.AddNode(ctx, mustGet(t, client).Shards[0].Nodes[0].ID, dead2))
	assert.Len(t, mustGet(t, leader.sidecar("")).Shards[0].Nodes, 2)
}

func mustGet(t *testing.T, client *kvctl.Client) *kvctl.Record {
	t.Helper()
	record, err := client.Get(context.Background())
	require.NoError(t, err)
	return record
}

func TestTheSidecarDoesNotWaitForAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	store := startEtcd(t)
	c := newController(t, store, slow)
	c.start()
	client := kvctl.New(kvctl.Options{URL: c.url(), Namespace: "ns", Cluster: "c", Timeout: time.Second})
	defer func() { _ = client.Close() }()
	store.process.Kill()
	_, err := client.Get(context.Background())
	require.ErrorIs(t, err, kvctl.ErrUnavailable)
	require.ErrorIs(t, client.Import(context.Background(), dead1), kvctl.ErrUnavailable)
}
