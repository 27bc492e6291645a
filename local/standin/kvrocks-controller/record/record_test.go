package record

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ranges(t *testing.T, text string) Ranges {
	t.Helper()
	list := Ranges{}
	for word := range strings.FieldsSeq(text) {
		r, err := ParseRange(word)
		require.NoError(t, err)
		list = append(list, r)
	}
	return list
}

func TestRangesAreAddedAndTakenOut(t *testing.T) {
	for _, test := range []struct{ before, slots, with, without string }{
		{"", "5", "5", ""},
		{"0-9", "5", "0-9", "0-4 6-9"},
		{"0-9", "0", "0-9", "1-9"},
		{"0-9", "0-9", "0-9", ""},
		{"0-9", "5-20", "0-20", "0-4"},
		{"0-9", "10", "0-10", "0-9"},
		{"0-9", "11", "0-9 11", "0-9"},
		{"0-4 6-9", "5", "0-9", "0-4 6-9"},
		{"0-4 6-9 20", "3-7", "0-9 20", "0-2 8-9 20"},
	} {
		slots := ranges(t, test.slots)[0]
		assert.Equal(t, test.with, ranges(t, test.before).with(slots).String(), "%+v", test)
		assert.Equal(t, test.without, ranges(t, test.before).without(slots).String(), "%+v", test)
	}
}

func TestSetNodesNamesEveryNode(t *testing.T) {
	cluster, err := New("c", []string{"10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.3:6379", "10.0.0.4:6379"}, 2, "pw")
	require.NoError(t, err)
	cluster.Shards[1].Slots = Ranges{}
	text, err := cluster.SetNodes()
	require.NoError(t, err)
	for i, n := range cluster.Nodes() {
		text = strings.ReplaceAll(text, n.ID, string(rune('a'+i)))
	}
	assert.Equal(t, "a 10.0.0.1 6379 master - 0-8191\nb 10.0.0.2 6379 slave a\nc 10.0.0.3 6379 master - \nd 10.0.0.4 6379 slave c\n", text)

	cluster.Shards[1].Nodes[0].Role = Slave
	_, err = cluster.SetNodes()
	assert.EqualError(t, err, "found err at shard[1]: missing master node")
}

func TestRecordSurvivesStorage(t *testing.T) {
	cluster, err := New("c", []string{"h:1", "h:2"}, 1, "pw")
	require.NoError(t, err)
	cluster.Shards[0].Migrating, cluster.Shards[0].Target = &Range{Start: 5, Stop: 9}, 1
	data, err := json.Marshal(cluster)
	require.NoError(t, err)
	var restored Cluster
	require.NoError(t, json.Unmarshal(data, &restored))
	assert.Equal(t, cluster, &restored)
}

func TestParseNodesRefusesWhatItDoesNotKnow(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "cluster nodes string error",
		"a h:1@2 master":                         "require at least 7 fields",
		"a h:1@2 master - 0 0 x connected":       "node version error",
		"a h:1@2 leader - 0 0 1 connected":       "node role error",
		"a h:1@2 master - 0 0 1 connected x":     "parse slots error",
		"a h:1@2 master - 0 0 1 connected 16384": "parse slots error",
	} {
		_, err := ParseNodes(text)
		assert.ErrorContains(t, err, want, "%q", text)
	}
}

func FuzzParseNodes(f *testing.F) {
	f.Add("a h:1@2 myself,master - 0 0 7 connected 0-5 9\nb h:2@3 slave a 0 0 7 connected\nc h:3@4 master - 0 0 7 connected")
	f.Fuzz(func(t *testing.T, text string) {
		cluster, err := ParseNodes(text)
		if err != nil {
			return
		}
		_, err = cluster.SetNodes()
		require.NoError(t, err, "each shard has a master")
	})
}
