package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

func TestAClusterMadeAnewOnKeptVolumes(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "has the slots and masters that they remember",
			given: `
				controller none
				0-0 self saved=17:0-1:0-99,8192-16383:2
				0-1 self saved=17:0-1:0-99,8192-16383:2
				1-0 self saved=16:1-0:100-8191:2`,
			want: `
				= event LayoutRecalled
				= layout 18
				= 0 slots [0-99 8192-16383]
				= 0 master 0-1
				= 0 node 0-0 role= link=unattached attached=false
				= 0 node 0-1 role=master link=unattached attached=false
				= 1 slots [100-8191]
				= 1 master 1-0`,
		},
		{
			name: "waits for every volume",
			given: `
				controller none
				0-0 self saved=17:0-0:0-8191:2
				1-0 down`,
			want: `
				= PrimaryAvailable False WaitingForMembers
				= layout 0`,
		},
		{
			name: "waits until it is told what each volume remembers, although the node already answers",
			given: `
				controller none
				0-0 self stopped
				0-1 self saved=17:0-0:0-16383:1`,
			want: `
				= PrimaryAvailable False WaitingForMembers
				= layout 0`,
		},
		{
			name: "waits for kvrocks-controller, which may know better",
			given: `
				controller none
				controller down
				reported 0
				0-0 self saved=17:0-0:0-16383:1`,
			want: `
				= PrimaryAvailable False ControllerUnavailable
				= layout 0`,
		},
		{
			name: "leaves a slot to the shard that was told last",
			given: `
				controller none
				0-0 self saved=17:0-0:0-8191:2
				1-0 self saved=18:1-0:100-16383:2`,
			want: `
				= event LayoutRecalled
				= layout 19
				= 0 slots [0-99]
				= 1 slots [100-16383]`,
		},
		{
			name: "keeps the slots of a master that was told to stop",
			given: `
				controller none
				0-0 self saved=17:0-0::1
				0-1 self saved=17:0-0:0-16383:1`,
			want: `
				= event LayoutRecalled
				= 0 slots [0-16383]
				= 0 master 0-0`,
		},
		{
			name: "is led by the volume with more of two that the master had, one after the other",
			given: `
				controller none
				0-0 self seq=10 saved=17:0-1:0-16383:1
				0-1 self seq=56 saved=17:0-1:0-16383:1
				0-2 self seq=55 saved=17:0-1:0-16383:1:0-1`,
			want: `
				= event LayoutRecalled
				= 0 master 0-1`,
		},
		{
			name: "is led by the only one that remembers anything, although it missed a failover",
			given: `
				controller none
				0-0 self seq=76 saved=4:0-2:0-16383:1
				0-1 self empty
				0-2 self empty`,
			want: `
				= event LayoutRecalled
				= 0 slots [0-16383]
				= 0 master 0-0`,
		},
		{
			name: "takes up a member later that missed a failover, and one that is new",
			given: `
				controller none
				0-0 self seq=900 saved=12:0-0:0-16383:1
				0-1 self saved=17:0-1:0-16383:1
				0-2 self empty`,
			want: `
				= event LayoutRecalled
				= 0 master 0-1
				= 0 on record [0-1]`,
		},
		{
			name: "whose master's volume is new has the one with the most data as master",
			given: `
				controller none
				0-0 self empty
				0-1 self seq=99 saved=17:0-0:0-16383:1
				0-2 self seq=100 saved=17:0-0:0-16383:1`,
			want: `
				= event LayoutRecalled
				= 0 master 0-2
				= 0 on record [0-1 0-2]`,
		},
		{
			name: "keeps a master on a pod that is to leave, until it has handed over",
			given: `
				controller none
				0-0 self saved=17:0-1:0-16383:1
				0-1 self leaving saved=17:0-1:0-16383:1`,
			want: `
				= event LayoutRecalled
				= 0 master 0-1
				= 0 scaleTo 2`,
		},
		{
			name: "gives the slots of a shard that lost all its volumes to that shard",
			given: `
				controller none
				0-0 self saved=17:0-0:0-8191:2
				1-0 self empty
				1-1 self empty`,
			want: `
				= event SlotsAssumed
				= event LayoutRecalled
				= 0 slots [0-8191]
				= 1 slots [8192-16383]
				= 1 master 1-0`,
		},
		{
			name: "has a new shard without slots join it",
			given: `
				controller none
				0-0 self saved=17:0-0:0-8191:2
				1-0 self saved=17:1-0:8192-16383:2
				2-0 self empty`,
			want: `
				= event LayoutRecalled
				= 1 slots [8192-16383]
				= 2 slots []`,
		},
		{
			name: "waits for the shards that it had",
			given: `
				controller none
				0-0 self saved=17:0-0:0-5000:3
				1-0 self saved=17:1-0:5001-9999:3`,
			want: `
				= PrimaryAvailable False ShardsMissing
				= PrimaryAvailable: the volumes are those of a cluster of 3 shards, and the slots 10000-16383 were on shards that are not there: write at least 3 into spec.master (an odd number), or delete the volumes of this instance to make it again
				= layout 0`,
		},
		{
			name: "spreads slots that every volume takes for another's",
			given: `
				controller none
				0-0 self saved=18:0-0:100-8191:2
				1-0 self saved=17:1-0:8192-16383:2`,
			want: `
				= event SlotsAssumed
				= event LayoutRecalled
				= 0 slots [0-49 100-8191]
				= 1 slots [50-99 8192-16383]`,
		},
	})
}

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
