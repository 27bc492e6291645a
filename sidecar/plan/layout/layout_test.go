package layout_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// node is a node whose address is its id.
func node(id string, master bool) layout.Node {
	return layout.Node{ID: id, Address: id, Port: 6379, Master: master}
}

// two is a complete layout: a with the replicas b and c, and d with the replica e.
func two() *layout.Layout {
	return &layout.Layout{Version: 7, Shards: []layout.Shard{
		{Nodes: []layout.Node{node("a", true), node("b", false), node("c", false)}, Slots: slots.Of(slots.Range{First: 0, Last: 8191})},
		{Nodes: []layout.Node{node("e", false), node("d", true)}, Slots: slots.Of(slots.Range{First: 8192, Last: 16383})},
	}}
}

func TestFindingNodes(t *testing.T) {
	t.Parallel()
	l := two()
	assert.Same(t, &l.Shards[1], l.ShardOf("e"))
	assert.Nil(t, l.ShardOf("x"))
	assert.Equal(t, "d", l.Shards[1].Master().ID)
	assert.Nil(t, (&layout.Shard{Nodes: []layout.Node{node("a", false)}}).Master())
	assert.True(t, l.Shards[0].Has("c"))
	assert.False(t, l.Shards[0].Has("d"))
	assert.True(t, l.IsMaster("d"))
	assert.False(t, l.IsMaster("e"))
	assert.False(t, l.IsMaster("x"))
	assert.True(t, l.Follows("b", "a"))
	for _, pair := range [][2]string{{"a", "a"}, {"b", "c"}, {"b", "d"}, {"a", "b"}, {"x", "a"}, {"b", "x"}} {
		assert.False(t, l.Follows(pair[0], pair[1]), "%v", pair)
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	l := two()
	at := l.Positions()
	assert.Equal(t, layout.Position{Shard: 1, Node: 1}, at[l.Shards[1].Nodes[1].Endpoint()])
	assert.Len(t, at, 5)
	assert.Equal(t, "d:6379", l.Shards[1].Nodes[1].Endpoint().String())
	// A shard that was added twice is where the slots are.
	l.Shards = append([]layout.Shard{{Nodes: []layout.Node{node("d", true)}}}, l.Shards...)
	l.Shards = append(l.Shards, layout.Shard{Nodes: []layout.Node{node("a", true)}})
	at = l.Positions()
	assert.Equal(t, layout.Position{Shard: 2, Node: 1}, at[layout.Endpoint{Address: "d", Port: 6379}])
	assert.Equal(t, layout.Position{Shard: 1, Node: 0}, at[layout.Endpoint{Address: "a", Port: 6379}])
}

func TestComplete(t *testing.T) {
	t.Parallel()
	whole := two()
	whole.Shards = append(whole.Shards, layout.Shard{Nodes: []layout.Node{node("f", true)}})
	assert.True(t, whole.Complete(), "a shard may have no slots")
	one, none := slots.Range{First: 5, Last: 5}, slots.Of()
	for name, change := range map[string]func(*layout.Layout){
		"a slot is missing":           func(l *layout.Layout) { part := slots.Of(one); l.Shards[0].Slots = l.Shards[0].Slots.Minus(&part) },
		"a slot has two owners":       func(l *layout.Layout) { l.Shards[1].Slots.Add(one) },
		"no shard has slots":          func(l *layout.Layout) { l.Shards[0].Slots, l.Shards[1].Slots = none, none },
		"a shard without a master":    func(l *layout.Layout) { l.Shards[1].Nodes = l.Shards[1].Nodes[:1] },
		"a master that is not found":  func(l *layout.Layout) { l.Shards[0].Nodes[0].Address = layout.DeadHost },
		"there is no shard":           func(l *layout.Layout) { l.Shards = nil },
		"a new shard has no node yet": func(l *layout.Layout) { l.Shards = append(l.Shards, layout.Shard{}) },
	} {
		l := two()
		change(l)
		assert.False(t, l.Complete(), name)
	}
}

func TestOwnedAndDistribution(t *testing.T) {
	t.Parallel()
	l := two()
	assert.Equal(t, "all 16384 slots are assigned to 2 shards, 8192 each", l.Distribution())
	l.Shards[1].Slots.Add(slots.Range{First: 100, Last: 101})
	owned, twice := l.Owned()
	assert.Equal(t, slots.All(), owned)
	assert.Equal(t, slots.Of(slots.Range{First: 100, Last: 101}), twice)
	l.Shards = append(l.Shards, layout.Shard{})
	assert.Equal(t, "all 16384 slots are assigned to 2 shards, 8192 to 8194 each; 1 shards have none", l.Distribution())
}

func TestSame(t *testing.T) {
	t.Parallel()
	l, turned := two(), two()
	turned.Shards[0], turned.Shards[1] = turned.Shards[1], turned.Shards[0]
	turned.Shards[0].Nodes[0], turned.Shards[0].Nodes[1] = turned.Shards[0].Nodes[1], turned.Shards[0].Nodes[0]
	assert.True(t, l.Same(l))
	assert.True(t, l.Same(turned), "the order says nothing")
	assert.True(t, turned.Same(l))
	for name, change := range map[string]func(*layout.Layout){
		"another version":    func(l *layout.Layout) { l.Version++ },
		"another shard":      func(l *layout.Layout) { l.Shards = append(l.Shards, layout.Shard{}) },
		"another master":     func(l *layout.Layout) { l.Shards[0].Nodes[0].Master, l.Shards[0].Nodes[1].Master = false, true },
		"another address":    func(l *layout.Layout) { l.Shards[0].Nodes[2].Address = "x" },
		"another node":       func(l *layout.Layout) { l.Shards[0].Nodes = l.Shards[0].Nodes[:2] },
		"another slot":       func(l *layout.Layout) { l.Shards[0].Slots.Add(slots.Range{First: 16383, Last: 16383}) },
		"a masterless shard": func(l *layout.Layout) { l.Shards[1].Nodes[1].Master = false },
	} {
		other := two()
		change(other)
		assert.False(t, l.Same(other), name)
		assert.False(t, other.Same(l), name)
	}
}

// text writes a layout as one line.
func text(l *layout.Layout) string {
	var shards []string
	for i := range l.Shards {
		var nodes []string
		for _, n := range l.Shards[i].Nodes {
			name := n.ID
			if n.Master {
				name = strings.ToUpper(name)
			}
			if n.Address != n.ID {
				name += "@" + n.Endpoint().String()
			}
			nodes = append(nodes, name)
		}
		for _, r := range l.Shards[i].Slots.Ranges() {
			nodes = append(nodes, r.String())
		}
		shards = append(shards, strings.Join(nodes, " "))
	}
	return strings.Join(shards, "; ")
}

func TestLayoutsThatDifferOnPurpose(t *testing.T) {
	t.Parallel()
	l := two()
	before := text(l)
	first := &l.Shards[0]
	stop := l.StopWrites(first, &first.Nodes[0], &first.Nodes[1])
	assert.Equal(t, "B c 0-8191; A; e D 8192-16383", text(stop))
	assert.Equal(t, int64(7), stop.Version)
	assert.True(t, stop.Complete())
	assert.True(t, stop.HasStopped("a"))
	assert.False(t, stop.HasStopped("b"))
	assert.False(t, l.HasStopped("a"))

	stranded := l.Strand(first)
	assert.Equal(t, "A@127.0.0.1:1 b c 0-8191; e D 8192-16383", text(stranded))
	assert.False(t, stranded.Complete(), "nothing may be made again from it")

	assert.Equal(t, before+"; "+strings.ToUpper(layout.DeadNodeID)+"@127.0.0.1:1", text(l.WithDeadNode()))
	assert.Equal(t, before, text(l), "the record stays as it is")
}

func TestParseSaved(t *testing.T) {
	t.Parallel()
	const whole = "volume 1f\nversion 12\nid a\nmaster b\nslots 0-99 101\nshards 3\n"
	got := layout.ParseSaved(whole)
	require.NotNil(t, got)
	assert.Equal(t, layout.Saved{
		Version: 12, ID: "a", Master: "b", Shards: 3, Slots: slots.Of(slots.Range{First: 0, Last: 99}, slots.Range{First: 101, Last: 101}),
	}, *got)
	assert.NotNil(t, layout.ParseSaved(strings.Replace(whole, "slots 0-99 101", "slots", 1)), "a master that handed over has none")
	for _, line := range []string{"version 12", "id a", "master b", "shards 3"} {
		assert.Nil(t, layout.ParseSaved(strings.Replace(whole, line+"\n", "", 1)), "without "+line)
	}
	assert.Nil(t, layout.ParseSaved(strings.Replace(whole, "0-99", "99-0", 1)))
	assert.Nil(t, layout.ParseSaved(strings.Replace(whole, "12", "x", 1)))
	assert.Nil(t, layout.ParseSaved(""))
}

func TestNodeIDs(t *testing.T) {
	t.Parallel()
	id := layout.NodeID("uid", "orders-0-0")
	assert.Len(t, id, 40)
	assert.Equal(t, id, layout.NodeID("uid", "orders-0-0"))
	assert.NotEqual(t, id, layout.NodeID("uid", "orders-0-1"))
	assert.NotEqual(t, id, layout.NodeID("another", "orders-0-0"))
}
