package cluster_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/cluster"
)

var idA, idB = strings.Repeat("a", cluster.IDLength), strings.Repeat("b", cluster.IDLength)

func TestKeySlot(t *testing.T) {
	// The values of the Redis cluster specification's examples and of redis-cli.
	for key, want := range map[string]int{
		"123456789": 12739, "foo": 12182, "{user1000}.following": 3443, "{user1000}.followers": 3443,
		"foo{}{bar}": 8363, "foo{{bar}}zap": 4015, "foo{bar}{zap}": 5061, "": 0, "{": 4092,
	} {
		assert.Equal(t, want, cluster.KeySlot(key), key)
	}
}

func TestParseRange(t *testing.T) {
	for text, want := range map[string]cluster.Range{
		"0": {Start: 0, End: 0}, "16383": {Start: 16383, End: 16383}, "5-9": {Start: 5, End: 9}, "5-5": {Start: 5, End: 5},
	} {
		got, err := cluster.ParseRange(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "x", "-1", "1-", "-", "16384", "9-5", "1-2-3", "0-16384"} {
		_, err := cluster.ParseRange(text)
		assert.Error(t, err, text)
	}
}

func TestFileRoundTrip(t *testing.T) {
	topology := cluster.New()
	require.NoError(t, topology.SetID(idB))
	nodes := idA + " 10.0.0.1 6379 master - 0-5 7 9-16383\n" + idB + " 10.0.0.2 6379 slave " + idA
	changed, err := topology.Set(nodes, 3, false, nil)
	require.NoError(t, err)
	require.True(t, changed)

	id, lines, version, err := cluster.ParseFile(topology.File())
	require.NoError(t, err)
	again := cluster.New()
	again.MyID = id
	_, err = again.Set(lines, version, false, nil)
	require.NoError(t, err)
	assert.Equal(t, topology.File(), again.File())
	assert.Equal(t, idB, again.Myself.ID)
	assert.Equal(t, []string{idB}, again.Nodes[idA].Replicas)
	assert.Equal(t, 1, again.Size)
	assert.Nil(t, again.Slots[6])
	text, ok := again.Describe(1000, " [moves]")
	require.True(t, ok)
	assert.Equal(t, idA+" 10.0.0.1:6379@16379 master - 999 1000 3 connected 0-5 7 9-16383\n"+
		idB+" 10.0.0.2:6379@16379 myself,slave "+idA+" 999 1000 3 connected [moves]\n", text)
}

func TestRefusedTopologyChangesNothing(t *testing.T) {
	topology := cluster.New()
	_, err := topology.Set(idA+" h 1 master - 0-16383", 1, false, func(*cluster.Node) bool { return true })
	require.NoError(t, err)
	before := topology.File()
	_, err = topology.Set(idA+" h 1 master - 0-16383\n"+idB+" h 2 master - 1", 2, false, nil)
	require.ErrorIs(t, err, cluster.ErrOverlap)
	assert.Equal(t, before, topology.File())
}

func TestForgetMovesReturnsWhatWasLost(t *testing.T) {
	topology := cluster.New()
	require.NoError(t, topology.SetID(idA))
	both := func(a, b string) string { return idA + " h 1 master - " + a + "\n" + idB + " h 2 master - " + b }
	_, err := topology.Set(both("0-100", "101-16383"), 1, false, nil)
	require.NoError(t, err)
	topology.Migrated[5], topology.Migrated[6] = "h:2", "h:2"
	_, err = topology.Set(both("0-4 6-100", "5 101-16383"), 2, false, nil)
	require.NoError(t, err)
	assert.Equal(t, []int{5}, topology.ForgetMoves())
	assert.Empty(t, topology.Migrated)
}

func FuzzTopology(f *testing.F) {
	f.Add(idA + " 10.0.0.1 6379 master - 0-5 7\n" + idB + " 10.0.0.2 6379 slave " + idA)
	f.Fuzz(func(t *testing.T, nodes string) {
		topology := cluster.New()
		if _, err := topology.Set(nodes, 1, false, func(*cluster.Node) bool { return false }); err != nil {
			return
		}
		_, lines, version, err := cluster.ParseFile(topology.File())
		require.NoError(t, err)
		again := cluster.New()
		_, err = again.Set(lines, version, false, func(*cluster.Node) bool { return false })
		require.NoError(t, err)
		assert.Equal(t, topology.File(), again.File())
	})
}
