package scenarios

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The checkers must be able to tell right from wrong.
func TestSlotCheckersSeeWhatIsWrong(t *testing.T) {
	t.Parallel()
	for key, slot := range map[string]int{"foo": 12182, "123456789": 12739, "": 0} {
		assert.Equal(t, slot, slotOf(key), key)
	}
	var m slotMap
	assert.NoError(t, m.give("a", []string{"0-8000", "-1"}))
	assert.NoError(t, m.give("b", []string{"8002-16383"}))
	require.ErrorIs(t, m.whole(), errOwners, "8001 has no owner")
	require.ErrorIs(t, m.give("c", []string{"8001", "5"}), errOwners, "5 belongs to a as well")
	require.NoError(t, m.whole())
	assert.Equal(t, map[string]int{"a": 8001, "b": 8382, "c": 1}, m.owned())

	nodes, err := parseNodes("aa 10.0.0.1:6379@16379 myself,master - 0 0 7 connected 0-5 [6->-bb]\nbb 10.0.0.2:6379@16379 slave aa 0 0 7 connected\n")
	require.NoError(t, err)
	assert.Equal(t, []clusterNode{
		{id: "aa", address: "10.0.0.1:6379", role: "master", master: "-", slots: []string{"0-5"}},
		{id: "bb", address: "10.0.0.2:6379", role: "slave", master: "aa"},
	}, nodes)
	_, err = parseNodes("ERR\n")
	require.Error(t, err)
}
