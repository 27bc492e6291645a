package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

func TestWhatWasRecalledIsCarriedOut(t *testing.T) {
	in := parseCluster(t, `
		controller none
		0-0 self saved=17:0-0:0-99:2
		0-1 self saved=17:0-0:0-99:2
		1-0 self saved=17:1-0:100-16383:2`)
	p := plan.Cluster(in)
	require.Empty(t, p.Actions, "nothing is done before it is on record")
	assert.NotZero(t, p.Again)

	in.Topology.Status = p.Status
	p = plan.Cluster(in)
	var pushed []string
	for _, a := range p.Actions {
		push, ok := a.(action.Push)
		require.True(t, ok, "%T", a)
		assert.Len(t, push.ID, 40)
		assert.EqualValues(t, 18, push.Layout.Version)
		pushed = append(pushed, push.Pod)
	}
	assert.Equal(t, []string{"orders-0-0", "orders-1-0"}, pushed)
}

func TestAVolumeWhoseWordsAreNotWholeRemembersNothing(t *testing.T) {
	for _, text := range []string{
		"", "version 17", "version x\nid a\nmaster a\nslots 0-16383\nshards 1\n",
		"version 17\nid a\nmaster a\nslots 0-99999\nshards 1\n", "version 17\nid a\nmaster a\nslots 0-16383\n",
	} {
		in := parseCluster(t, "controller none\n0-0 self empty\n")
		pod := in.Pods["orders-0-0"]
		pod.Saved = text
		in.Pods["orders-0-0"] = pod
		actions := plan.Cluster(in).Actions
		require.Len(t, actions, 1, text)
		assert.IsType(t, action.CreateCluster{}, actions[0], text)
	}
}

// Whatever volumes tell, each slot gets one owner, or nothing is done.
func FuzzSavedWords(f *testing.F) {
	f.Add(savedText("orders-0-0", []string{"17", "0-0", "0-99,200", "2"}), savedText("orders-1-0", []string{"18", "1-0", "50-16383", "2"}))
	f.Add(savedText("orders-0-0", []string{"17", "1-0", "0-99", "3"}), "version 17\nid a\n")
	f.Add("", savedText("orders-1-0", []string{"0", "1-0", "", "0"}))
	f.Fuzz(func(t *testing.T, first, second string) {
		in := parseCluster(t, "controller none\n0-0 self\n1-0 self empty\n")
		for pod, text := range map[string]string{"orders-0-0": first, "orders-1-0": second} {
			p := in.Pods[pod]
			p.Saved = text
			in.Pods[pod] = p
		}
		var all slots.Set
		count := 0
		for _, s := range plan.Cluster(in).Status.Shards {
			for _, text := range s.Slots {
				r, err := slots.ParseRange(string(text))
				require.NoError(t, err)
				all.Add(r)
				count += r.Len()
			}
		}
		if count != 0 {
			assert.Equal(t, slots.Count, count)
			assert.Equal(t, slots.All(), all)
		}
	})
}
