package kvrocks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

const clusterHead = "cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_known_nodes:3\r\n" +
	"cluster_size:3\r\ncluster_current_epoch:12\r\ncluster_my_epoch:12\r\n"

func nodeID(letter string) string { return strings.Repeat(letter, 40) }

func TestClusterInfo(t *testing.T) {
	t.Parallel()
	outgoing := func(r slots.Range, state layout.MoveState) kvrocks.ClusterInfo {
		return kvrocks.ClusterInfo{Version: 12, Outgoing: &layout.SlotMove{Slots: r, To: nodeID("b"), State: state}}
	}
	for name, tc := range map[string]struct {
		text string
		want kvrocks.ClusterInfo
	}{
		"at rest": {"", kvrocks.ClusterInfo{Version: 12}},
		"a range leaves": {
			"migrating_slot(s): 5-7\r\ndestination_node: " + nodeID("b") + "\r\nmigrating_state: start\r\n",
			outgoing(slots.Range{First: 5, Last: 7}, layout.MoveRunning),
		},
		"before 2.10": {
			"migrating_slot: 5\r\ndestination_node: " + nodeID("b") + "\r\nmigrating_state: success\r\n",
			outgoing(slots.Range{First: 5, Last: 5}, layout.MoveSucceeded),
		},
		"it failed": {
			"migrating_slot(s): 5\r\ndestination_node: " + nodeID("b") + "\r\nmigrating_state: fail\r\n",
			outgoing(slots.Range{First: 5, Last: 5}, layout.MoveFailed),
		},
		"nothing is left of it": {
			"migrating_slot(s): -1\r\ndestination_node: \r\nmigrating_state: none\r\n", kvrocks.ClusterInfo{Version: 12},
		},
		"slots arrive": {
			"importing_slot(s): 9-10\r\nimport_state: error\r\n",
			kvrocks.ClusterInfo{Version: 12, Incoming: &layout.SlotMove{Slots: slots.Range{First: 9, Last: 10}, State: layout.MoveFailed}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := kvrocks.ParseClusterInfo(clusterHead + tc.text)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
	for name, text := range map[string]string{
		"no version":          "cluster_state:ok\r\n",
		"a strange version":   "cluster_current_epoch:x\r\n",
		"a strange state":     clusterHead + "migrating_slot(s): 5\r\nmigrating_state: thinking\r\n",
		"slots out of bounds": clusterHead + "importing_slot(s): 16384\r\nimport_state: start\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := kvrocks.ParseClusterInfo(text)
			assert.Error(t, err)
		})
	}
}

func TestClusterNodes(t *testing.T) {
	t.Parallel()
	text := nodeID("a") + " 10.0.0.1:6379@16379 myself,master - 1700 1701 12 connected 0-99 101 [102->-" + nodeID("c") + "]\n" +
		nodeID("b") + " 10.0.0.2:6379@16379 slave " + nodeID("a") + " 1700 1701 12 connected\n" +
		nodeID("c") + " fd00::3:6379@16379 master - 1700 1701 12 connected 100 102-16383\n" +
		nodeID("d") + " 10.0.0.4:6379@16379 master - 1700 1701 12 connected\n"
	got, err := kvrocks.ParseClusterNodes(text)
	require.NoError(t, err)
	assert.Equal(t, nodeID("a"), got.MyID)
	want := &layout.Layout{Version: 12, Shards: []layout.Shard{
		{
			Nodes: []layout.Node{
				{ID: nodeID("a"), Address: "10.0.0.1", Port: 6379, Master: true}, {ID: nodeID("b"), Address: "10.0.0.2", Port: 6379},
			},
			Slots: slots.Of(slots.Range{First: 0, Last: 99}, slots.Range{First: 101, Last: 101}),
		},
		{
			Nodes: []layout.Node{{ID: nodeID("c"), Address: "fd00::3", Port: 6379, Master: true}},
			Slots: slots.Of(slots.Range{First: 100, Last: 100}, slots.Range{First: 102, Last: 16383}),
		},
		{Nodes: []layout.Node{{ID: nodeID("d"), Address: "10.0.0.4", Port: 6379, Master: true}}},
	}}
	assert.Equal(t, want, got.Layout())
	slices.Reverse(want.Shards)
	turned := kvrocks.NodesOf(want)
	assert.Equal(t, got.Key(), turned.Key(), "the order says nothing")
	assert.Equal(t, got.Layout(), turned.Layout())
	none := kvrocks.NodesOf(&layout.Layout{Version: 3})
	assert.Empty(t, none.Key())
	assert.Nil(t, none.Layout())
	for name, bad := range map[string]string{
		"nothing":        "",
		"half a line":    nodeID("a") + " 10.0.0.1:6379@16379 master",
		"a short id":     strings.Replace(text, nodeID("b"), "b", 1),
		"no port":        strings.Replace(text, "10.0.0.2:6379@16379", "10.0.0.2", 1),
		"no master":      strings.Replace(text, "slave "+nodeID("a"), "slave -", 1),
		"a strange slot": strings.Replace(text, "0-99", "0-99999", 1),
		"two versions":   strings.Replace(text, " 12 ", " 13 ", 1),
		"not a version":  strings.ReplaceAll(text, " 12 ", " x "),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := kvrocks.ParseClusterNodes(bad)
			assert.Error(t, err)
		})
	}
}

func FuzzParseClusterInfo(f *testing.F) {
	f.Add(clusterHead)
	f.Add(clusterHead + "migrating_slot(s): 5-7\r\nmigrating_state: start\r\nimporting_slot: 9\r\nimport_state: error\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		info, err := kvrocks.ParseClusterInfo(text)
		if err != nil {
			return
		}
		for _, move := range []*layout.SlotMove{info.Outgoing, info.Incoming} {
			if move != nil {
				assert.LessOrEqual(t, move.Slots.First, move.Slots.Last)
				assert.NotEmpty(t, move.State)
			}
		}
	})
}

func FuzzParseClusterNodes(f *testing.F) {
	f.Add(nodeID("a") + " 10.0.0.1:6379@16379 myself,master - 1700 1701 12 connected 0-99 101 [102->-x]\n")
	f.Add(nodeID("b") + " h:1@2 slave " + nodeID("a") + " 0 0 -1 connected\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := kvrocks.ParseClusterNodes(text)
		if err != nil {
			return
		}
		for _, s := range got.Layout().Shards {
			for _, n := range s.Nodes {
				assert.Len(t, n.ID, 40)
				assert.NotEmpty(t, n.Address)
				assert.Positive(t, n.Port)
			}
		}
	})
}

func TestALayoutIsGivenInOneGo(t *testing.T) {
	t.Parallel()
	var sent [][]string
	addr := fakeServer(t, func(args []string) string {
		if args[0] == "hello" {
			return helloOK
		}
		sent = append(sent, args)
		return "+OK\r\n"
	})
	n := newNode(t, addr, kvrocks.Options{})
	given := &layout.Layout{Version: 7, Shards: []layout.Shard{
		{
			Nodes: []layout.Node{
				{ID: nodeID("a"), Address: "10.0.0.1", Port: 6379, Master: true}, {ID: nodeID("b"), Address: "10.0.0.2", Port: 6379},
			},
			Slots: slots.Of(slots.Range{First: 0, Last: 99}, slots.Range{First: 101, Last: 101}),
		},
		{Nodes: []layout.Node{{ID: nodeID("c"), Address: "10.0.0.3", Port: 6379, Master: true}}},
	}}
	require.NoError(t, n.SetLayout(t.Context(), nodeID("b"), given, true))
	assert.Equal(t, [][]string{
		{"CLUSTERX", "SETNODEID", nodeID("b")},
		{
			"CLUSTERX", "SETNODES",
			nodeID("a") + " 10.0.0.1 6379 master - 0-99 101\n" + nodeID("b") + " 10.0.0.2 6379 slave " + nodeID("a") + "\n" +
				nodeID("c") + " 10.0.0.3 6379 master -",
			"7", "FORCE",
		},
	}, sent)
}

func TestARefusedIDOrLayoutIsAnError(t *testing.T) {
	t.Parallel()
	for _, refused := range []string{"SETNODEID", "SETNODES"} {
		t.Run(refused, func(t *testing.T) {
			t.Parallel()
			addr := fakeServer(t, func(args []string) string {
				switch {
				case args[0] == "hello":
					return helloOK
				case args[1] == refused:
					return "-ERR Invalid cluster version\r\n"
				}
				return "+OK\r\n"
			})
			n := newNode(t, addr, kvrocks.Options{})
			err := n.SetLayout(t.Context(), nodeID("a"), &layout.Layout{Version: 1}, false)
			assert.ErrorIs(t, err, kvrocks.ErrOldLayout)
		})
	}
}

func TestACountIsGivenUpBeyondItsLimit(t *testing.T) {
	t.Parallel()
	addr := fakeServer(t, func(args []string) string {
		if args[0] == "hello" {
			return helloOK
		}
		return "*2\r\n" + bulk("7") + "*1\r\n" + bulk("a") // SCAN without an end
	})
	n := newNode(t, addr, kvrocks.Options{})
	count, err := n.CountKeys(t.Context(), slots.Range{First: 0, Last: 16383}, 100)
	require.NoError(t, err)
	assert.Equal(t, int64(kvrocks.TooMany), count)
}
