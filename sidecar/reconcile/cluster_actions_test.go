package reconcile

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/migration"
)

func TestActionsOnACluster(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	in, _ := w.look(key)
	layout := in.Controller.Record
	few := slots.Range{First: 5, Last: 9}
	for _, test := range []struct {
		action action.Action
		who    string
		what   []string
	}{
		{action.CreateCluster{Shards: [][]string{{"a:1"}}}, "controller", []string{"create [[a:1]]"}},
		{action.ImportCluster{Pod: "orders-1-1"}, "controller", []string{"import 10.9.1.1:6379"}},
		{action.DeleteCluster{}, "controller", []string{"delete"}},
		{action.AddShard{Addresses: []string{"a:1"}}, "controller", []string{"add shard [a:1]"}},
		{action.RemoveShard{MasterID: "x"}, "controller", []string{"remove shard of x"}},
		{action.AddNode{MasterID: "x", Address: "a:1"}, "controller", []string{"add a:1 to x"}},
		{action.RemoveNode{ID: "x"}, "controller", []string{"remove x"}},
		{action.FailOver{MasterID: "x", PreferredID: "y"}, "controller", []string{"fail over x to y"}},
		{action.RecordSlots{Slots: few, ToMasterID: "x"}, "controller", []string{"record 5-9 on x"}},
		{action.WriteMarker{Pod: "orders-0-0"}, "10.1.0.0", []string{"publish"}},
		{
			action.Push{Pod: "orders-0-0", ID: nodeIDOf("orders-0-0"), Layout: layout, Force: true},
			"10.1.0.0",
			[]string{"layout " + nodeIDOf("orders-0-0") + " 4 nodes v3 force=true"},
		},
		{
			action.Push{Pod: "orders-0-1", ID: nodeIDOf("orders-0-1"), Layout: layout},
			"10.1.0.1",
			[]string{"layout " + nodeIDOf("orders-0-1") + " 4 nodes v3 force=false"},
		},
	} {
		sent, err := w.act(key, test.action)
		require.NoError(t, err)
		assert.Equal(t, map[string][]string{test.who: test.what}, sent)
	}
	for _, a := range []action.Action{
		action.ImportCluster{Pod: "nobody"},
		action.Push{Pod: "nobody", Layout: layout},
		action.MoveSlots{Pod: "nobody"},
		action.CountKeys{Pod: "nobody"},
		action.Push{Pod: "nobody", ID: nodeIDOf("orders-0-0"), Layout: layout},
	} {
		sent, err := w.act(key, a)
		require.ErrorIs(t, err, kube.ErrGone, "%T", a)
		assert.Empty(t, sent)
	}
}

func TestFailoverOfAPlannedMoveInstallsTheNewMasterAtOnce(t *testing.T) {
	id := nodeIDOf("orders-0-1")
	for name, test := range map[string]struct {
		chosen string
		given  []string
	}{
		"with the changed record":           {chosen: id, given: []string{"layout " + id + " 4 nodes v4 force=false"}},
		"not when it was changed once more": {chosen: nodeIDOf("orders-0-0")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			key := w.aCluster("orders")
			w.look(key)
			w.controller.fail = func(what string) error {
				if strings.HasPrefix(what, "fail over") {
					w.controller.record.Version++
					for i := range w.controller.record.Shards[0].Nodes {
						n := &w.controller.record.Shards[0].Nodes[i]
						n.Master = n.ID == test.chosen
					}
				}
				return nil
			}
			sent, err := w.act(key, action.FailOver{MasterID: nodeIDOf("orders-0-0"), PreferredID: id, Install: "orders-0-1"})
			require.NoError(t, err)
			assert.Equal(t, test.given, sent["10.1.0.1"])
		})
	}
}

func TestPushedNodeIsAskedForItsLayout(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	in, _ := w.look(key)
	for _, pod := range []string{"orders-0-0", "orders-0-1"} {
		_, err := w.act(key, action.Push{Pod: pod, ID: nodeIDOf(pod), Layout: in.Controller.Record, Force: true})
		require.NoError(t, err)
	}
	_, sent := w.look(key)
	assert.Contains(t, sent["10.1.0.1"], "CLUSTER NODES", "it may be another one of the same version")
}

func TestSlowReplicaHoldsUpNoPush(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	in, _ := w.look(key)
	slow := make(chan struct{})
	var once sync.Once
	release := func() { once.Do(func() { close(slow) }) }
	t.Cleanup(release)
	w.node("orders-0-1").fail = func(what string) error {
		if strings.HasPrefix(what, "layout") {
			<-slow
		}
		return nil
	}
	push := func(pod string) action.Action {
		return action.Push{Pod: pod, ID: nodeIDOf(pod), Layout: in.Controller.Record}
	}
	start := time.Now()
	sent, err := w.act(key, push("orders-0-0"), push("orders-0-1"), push("orders-1-1"), action.RemoveNode{ID: "x"})
	require.NoError(t, err)
	assert.Less(t, time.Since(start), 10*pushTimeout)
	assert.Len(t, sent["10.1.1.1"], 1)
	assert.Equal(t, []string{"remove x"}, sent["controller"])
	w.takeWakes()
	release()
	require.Eventually(t, func() bool { return len(w.takeWakes()) > 0 }, 5*time.Second, time.Millisecond, "the pass looks again")
}

func TestMastersGetALayoutInOrderUntilTheOrderMatters(t *testing.T) {
	push := func(pod string, master, force bool) action.Action {
		node := layout.Node{ID: nodeIDOf(pod), Master: master}
		return action.Push{Pod: pod, ID: node.ID, Force: force, Layout: &layout.Layout{Shards: []layout.Shard{{Nodes: []layout.Node{node}}}}}
	}
	master, replica, forced := push("m", true, false), push("r", false, false), push("f", true, true)
	for _, test := range []struct {
		pushed  int
		actions []action.Action
		want    int
	}{
		{0, []action.Action{master, replica}, 0},
		{0, []action.Action{replica, replica, master}, 2},
		{1, []action.Action{master, replica}, 0},
		{2, []action.Action{master, replica, master, replica}, 4},
		{2, []action.Action{master, forced, replica}, 1},
		{2, []action.Action{master, action.DeleteCluster{}, master}, 1},
		{0, nil, 0},
	} {
		assert.Len(t, pushesTogether(test.actions, test.pushed), test.want, "%+v", test)
	}
}

func TestMastersAreWaitedForHoweverManyThereAre(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	in, _ := w.look(key)
	given := &layout.Layout{Version: 9, Shards: slices.Clone(in.Controller.Record.Shards)}
	for i := range given.Shards { // everybody is a master
		given.Shards[i].Nodes = slices.Clone(given.Shards[i].Nodes)
		for j := range given.Shards[i].Nodes {
			given.Shards[i].Nodes[j].Master = true
		}
	}
	w.node("orders-1-1").fail = func(what string) error {
		if strings.HasPrefix(what, "layout") {
			time.Sleep(pushTimeout + pushTimeout/2)
			return kvrocks.ErrOldLayout
		}
		return nil
	}
	var pushes []action.Action
	for _, pod := range []string{"orders-0-0", "orders-0-1", "orders-1-0", "orders-1-1"} {
		pushes = append(pushes, action.Push{Pod: pod, ID: nodeIDOf(pod), Layout: given})
	}
	sent, err := w.act(key, append(pushes, action.RemoveNode{ID: "x"})...)
	require.ErrorIs(t, err, kvrocks.ErrOldLayout)
	assert.Len(t, sent["10.1.1.0"], 1)
	assert.Empty(t, sent["controller"])
}

func TestMasterThatRefusesALayoutEndsThePass(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	in, _ := w.look(key)
	for _, pod := range []string{"orders-0-0", "orders-0-1"} {
		w.node(pod).fail = func(what string) error {
			if strings.HasPrefix(what, "layout") {
				return kvrocks.ErrOldLayout
			}
			return nil
		}
		sent, err := w.act(key, action.Push{Pod: pod, ID: nodeIDOf(pod), Layout: in.Controller.Record}, action.RemoveNode{ID: "x"})
		require.ErrorIs(t, err, kvrocks.ErrOldLayout)
		assert.Empty(t, sent["controller"])
		w.node(pod).fail = nil
	}
}

func TestKeysAreCountedInTheBackground(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.look(key)
	n := w.node("orders-0-0")
	n.counting, n.keys = make(chan struct{}), 42
	few, others := slots.Range{First: 5, Last: 9}, slots.Range{First: 6, Last: 9}
	for range 2 { // the same one goes on
		_, err := w.act(key, action.CountKeys{Pod: "orders-0-0", Slots: few})
		require.NoError(t, err)
	}
	in, _ := w.look(key)
	assert.Nil(t, in.Nodes["orders-0-0"].Count, "no pass waits for it")
	counted := func() *migration.SlotCount {
		in, _ := w.look(key)
		return in.Nodes["orders-0-0"].Count
	}
	n.counting <- struct{}{}
	require.Eventually(t, func() bool { return counted() != nil }, 5*time.Second, time.Millisecond)
	assert.Equal(t, &migration.SlotCount{Slots: few, Keys: 42, Sequence: 7}, counted())
	require.Eventually(t, func() bool { return slices.Contains(w.takeWakes(), key) }, 5*time.Second, time.Millisecond)

	_, err := w.act(key, action.CountKeys{Pod: "orders-0-0", Slots: others})
	require.NoError(t, err)
	assert.Nil(t, counted(), "another one was asked for")
	n.info.RunID = "another process"
	assert.Nil(t, counted())
	_, err = w.act(key, action.CountKeys{Pod: "orders-0-0", Slots: others})
	require.NoError(t, err)
	n.counting <- struct{}{} // the first one was given up
	require.Eventually(t, func() bool { return counted() != nil }, 5*time.Second, time.Millisecond)
}

func TestMoveHasItsSettingsAndLeavesNone(t *testing.T) {
	few := slots.Range{First: 5, Last: 9}
	defaults := map[string]string{
		"migrate-speed": "4096", "migrate-type": "redis-command", "migrate-batch-rate-limit-mb": "16", "log-level": "info",
	}
	for _, c := range []struct {
		name           string
		settings, spec map[string]string
		keysPerSecond  int32
		begin, restore []string
	}{
		{
			name:     "as fast as it goes, whatever the kind of key, and without a line for every one",
			settings: defaults,
			begin: []string{
				"CONFIG SET log-level warning", "CONFIG SET migrate-batch-rate-limit-mb 1024", "CONFIG SET migrate-speed 0",
				"CONFIG SET migrate-type raw-key-value",
			},
			restore: []string{
				"CONFIG SET log-level info", "CONFIG SET migrate-batch-rate-limit-mb 16", "CONFIG SET migrate-speed 4096",
				"CONFIG SET migrate-type redis-command",
			},
		},
		{
			name:     "with a limit the rate stays",
			settings: defaults, keysPerSecond: 100,
			begin:   []string{"CONFIG SET log-level warning", "CONFIG SET migrate-speed 100", "CONFIG SET migrate-type raw-key-value"},
			restore: []string{"CONFIG SET log-level info", "CONFIG SET migrate-speed 4096", "CONFIG SET migrate-type redis-command"},
		},
		{
			name:     "what the spec says stays",
			settings: defaults,
			spec:     map[string]string{"log-level": "info", "migrate-type": "redis-command", "migrate-batch-rate-limit-mb": "16"},
			begin:    []string{"CONFIG SET migrate-speed 0"},
			restore:  []string{"CONFIG SET migrate-speed 4096"},
		},
		{
			name:     "a program without the settings",
			settings: map[string]string{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			key := w.aCluster("orders")
			w.cluster.topologies[key].Spec.Config = c.spec
			n := w.node("orders-0-0")
			n.info.Version, n.settings = "2.10.1", maps.Clone(c.settings)
			w.look(key)
			sent, err := w.act(key, action.MoveSlots{Pod: "orders-0-0", Slots: few, ToID: "x", KeysPerSecond: c.keysPerSecond})
			require.NoError(t, err)
			assert.Equal(t, append(c.begin, "migrate 5-9 x"), sent["10.1.0.0"])

			n.cluster.Outgoing = &layout.SlotMove{Slots: few, To: "x", State: layout.MoveRunning}
			sent, err = w.act(key)
			require.NoError(t, err)
			assert.Empty(t, sent["10.1.0.0"], "it goes on")
			n.cluster.Outgoing.State = layout.MoveSucceeded
			sent, err = w.act(key)
			require.NoError(t, err)
			assert.Equal(t, c.restore, sent["10.1.0.0"])
			sent, err = w.act(key)
			require.NoError(t, err)
			assert.Empty(t, sent["10.1.0.0"], "once")
		})
	}
}

func TestSettingsOfAMoveArePutBackByAnotherLeader(t *testing.T) {
	few := slots.Range{First: 5, Last: 9}
	moving := map[string]string{
		"migrate-speed": "0", "migrate-type": "raw-key-value", "migrate-batch-rate-limit-mb": "1024", "log-level": "warning",
	}
	for _, c := range []struct {
		name, version  string
		settings, spec map[string]string
		restore        []string
	}{
		{
			name: "those of the release", version: "2.10.1", settings: moving,
			restore: []string{
				"CONFIG SET log-level info", "CONFIG SET migrate-batch-rate-limit-mb 16", "CONFIG SET migrate-speed 4096",
				"CONFIG SET migrate-type redis-command",
			},
		},
		{
			name: "a release that moves raw keys anyway", version: "2.13.0", settings: moving,
			restore: []string{"CONFIG SET log-level info", "CONFIG SET migrate-batch-rate-limit-mb 16", "CONFIG SET migrate-speed 4096"},
		},
		{
			name: "a release that has them no more", version: "2.17.0", settings: map[string]string{"log-level": "info", "migrate-batch-rate-limit-mb": "16"},
		},
		{
			name: "those of the spec", version: "2.10.1", settings: moving,
			spec:    map[string]string{"migrate-speed": "100", "migrate-type": "raw-key-value", "log-level": "warning", "migrate-batch-rate-limit-mb": "1024"},
			restore: []string{"CONFIG SET migrate-speed 100"},
		},
		{
			name: "a limit that is wanted no more", version: "2.12.1",
			settings: map[string]string{"migrate-speed": "250", "migrate-type": "redis-command", "migrate-batch-rate-limit-mb": "64", "log-level": "error"},
			restore:  []string{"CONFIG SET migrate-speed 4096"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			key := w.aCluster("orders")
			w.cluster.topologies[key].Spec.Config = c.spec
			n := w.node("orders-0-0")
			n.info.Version, n.settings = c.version, maps.Clone(c.settings)
			n.cluster.Outgoing = &layout.SlotMove{Slots: few, To: "x", State: layout.MoveRunning}
			w.look(key)
			sent, err := w.act(key)
			require.NoError(t, err)
			assert.Empty(t, sent["10.1.0.0"], "the move goes on")
			n.cluster.Outgoing.State = layout.MoveFailed
			sent, err = w.act(key)
			require.NoError(t, err)
			assert.Equal(t, c.restore, sent["10.1.0.0"])
			sent, err = w.act(key)
			require.NoError(t, err)
			assert.Empty(t, sent["10.1.0.0"], "once")
		})
	}
}

func TestSettingsOfAMoveThatNeverBeganArePutBackByAnotherLeader(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	n := w.node("orders-0-0")
	n.info.Version = "2.10.1"
	n.settings = map[string]string{
		"migrate-speed": "4096", "migrate-type": "redis-command", "migrate-batch-rate-limit-mb": "1024", "log-level": "warning",
	}
	sent, err := w.act(key)
	require.NoError(t, err)
	assert.Equal(t, []string{"CONFIG SET log-level info", "CONFIG SET migrate-batch-rate-limit-mb 16"}, sent["10.1.0.0"])
}

func TestMasterWithoutAPodIsToldOfItsSuccessor(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	in, _ := w.look(key)
	w.cluster.pods = slices.DeleteFunc(w.cluster.pods, func(p *corev1.Pod) bool { return p.Name == "orders-0-0" })
	after := &layout.Layout{Version: 4, Shards: slices.Clone(in.Controller.Record.Shards)}
	old := after.Shards[0].Nodes
	after.Shards[0].Nodes = []layout.Node{
		{ID: old[1].ID, Address: old[1].Address, Port: 6379, Master: true}, {ID: old[0].ID, Address: old[0].Address, Port: 6379},
	}
	_, err := w.act(key, action.Push{Pod: "orders-1-0", ID: nodeIDOf("orders-1-0"), Layout: after})
	require.NoError(t, err)
	assert.NotNil(t, w.instances[key].nodes["orders-0-0"], "its shard has no other master yet")
	sent, err := w.act(key, action.Push{Pod: "orders-0-1", ID: nodeIDOf("orders-0-1"), Layout: after})
	require.NoError(t, err)
	assert.Nil(t, w.instances[key].nodes["orders-0-0"])
	told := "layout " + nodeIDOf("orders-0-0") + " 4 nodes v4 force=true" // in the pass or soon after it, without holding it up
	require.Eventually(t, func() bool {
		return slices.Contains(sent["10.1.0.0"], told) || slices.Contains(w.journal.take(), "10.1.0.0 "+told)
	}, 5*time.Second, time.Millisecond)
}
