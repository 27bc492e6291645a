package quorum_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// Addresses of the recorded master and of its replicas.
const (
	master  = "10.0.0.1"
	replica = "10.0.0.2"
	other   = "10.0.0.3"
)

var heard = time.Unix(1000, 0)

// watching is a sentinel that monitors the name with the master at an address, changed as the case needs.
func watching(pod, address string, change ...func(*quorum.Opinion)) quorum.Opinion {
	o := quorum.Opinion{Pod: pod, IP: "ip-" + pod, Reached: true, Monitors: true}
	o.Master = quorum.MasterView{Address: address, AuthApplied: true}
	for _, f := range change {
		f(&o)
	}
	return o
}

func failingOver(o *quorum.Opinion) { o.Master.Failover = true }
func tilted(o *quorum.Opinion)      { o.Tilt = true }
func oldAuth(o *quorum.Opinion)     { o.Master.AuthApplied = false }
func silent(o *quorum.Opinion)      { *o = quorum.Opinion{Pod: o.Pod} }
func forgot(o *quorum.Opinion)      { o.Monitors, o.Master = false, quorum.MasterView{} }

func odown(since time.Time) func(*quorum.Opinion) {
	return func(o *quorum.Opinion) { o.Master.ObjectivelyDown, o.Master.ODownAt = true, since }
}

func TestView(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		want     int32
		opinions []quorum.Opinion
		check    func(*quorum.View)
		mayElect bool
	}{
		{
			name: "at rest", want: 3, mayElect: true,
			opinions: []quorum.Opinion{watching("w-0", master), watching("w-1", master), watching("w-2", master)},
			check:    func(v *quorum.View) { v.Answered, v.Monitoring, v.Voting = 3, 3, 3 },
		},
		{
			name: "the first word of +odown counts, and none of a sentinel that takes another for the master", want: 3, mayElect: true,
			opinions: []quorum.Opinion{
				watching("w-0", master, odown(heard)), watching("w-1", master, odown(heard.Add(-time.Second))),
				watching("w-2", other, odown(heard.Add(-time.Hour))),
			},
			check: func(v *quorum.View) {
				v.Answered, v.Monitoring, v.Voting, v.ODown, v.ODownAt = 3, 3, 3, true, heard.Add(-time.Second)
			},
		},
		{
			name: "+odown that this process did not hear", want: 1, mayElect: true,
			opinions: []quorum.Opinion{watching("w-0", master, odown(time.Time{}))},
			check:    func(v *quorum.View) { v.Answered, v.Monitoring, v.Voting, v.ODown = 1, 1, 1, true },
		},
		{
			name: "a failover of the recorded master", want: 3, mayElect: true,
			opinions: []quorum.Opinion{watching("w-0", master, failingOver), watching("w-1", master), watching("w-2", master)},
			check: func(v *quorum.View) {
				v.Answered, v.Monitoring, v.Voting, v.Electing, v.Replacing, v.Progressing = 3, 3, 3, true, true, true
			},
		},
		{
			name: "one that stands still carries no failover on and has no vote", want: 3, mayElect: true,
			opinions: []quorum.Opinion{watching("w-0", master, failingOver, tilted), watching("w-1", master), watching("w-2", master)},
			check: func(v *quorum.View) {
				v.Answered, v.Monitoring, v.Voting, v.Electing, v.Replacing = 3, 3, 2, true, true
			},
		},
		{
			name: "the quorum takes another address for the master's", want: 3, mayElect: true,
			opinions: []quorum.Opinion{watching("w-0", master), watching("w-1", replica), watching("w-2", replica, failingOver)},
			check: func(v *quorum.View) {
				v.Answered, v.Monitoring, v.Voting, v.Electing, v.Replacing, v.Progressing, v.Deposed = 3, 3, 3, true, true, true, true
			},
		},
		{
			name: "the node there is known to be no master", want: 3, mayElect: true,
			opinions: []quorum.Opinion{watching("w-0", master), watching("w-1", other), watching("w-2", other)},
			check:    func(v *quorum.View) { v.Answered, v.Monitoring, v.Voting = 3, 3, 3 },
		},
		{
			name: "fewer than the quorum do", want: 3, mayElect: true,
			opinions: []quorum.Opinion{watching("w-0", master), watching("w-1", master), watching("w-2", replica, failingOver)},
			check: func(v *quorum.View) {
				v.Answered, v.Monitoring, v.Voting, v.Electing, v.Progressing = 3, 3, 3, true, true
			},
		},
		{
			name: "those that cannot be asked may elect", want: 3, mayElect: true,
			opinions: []quorum.Opinion{watching("w-0", "", silent), watching("w-1", master), watching("w-2", "", forgot)},
			check:    func(v *quorum.View) { v.Answered, v.Monitoring, v.Voting = 2, 1, 1 },
		},
		{
			name: "those that have forgotten cannot", want: 3,
			opinions: []quorum.Opinion{watching("w-0", "", forgot), watching("w-1", master, oldAuth), watching("w-2", "", forgot)},
			check:    func(v *quorum.View) { v.Answered, v.Monitoring, v.Voting, v.AuthUnknown = 3, 1, 1, true },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shuffled := slices.Clone(c.opinions)
			slices.Reverse(shuffled)
			got := quorum.New(c.want, shuffled, master, func(address string) bool { return address == replica })
			want := quorum.View{Configured: true, Active: true, Want: int(c.want), Quorum: int(c.want)/2 + 1, Opinions: c.opinions}
			c.check(&want)
			assert.Equal(t, want, got)
			assert.Equal(t, c.mayElect, got.MayElect())
		})
	}
}

func TestNoSentinels(t *testing.T) {
	t.Parallel()
	v := quorum.Absent(false, 0)
	assert.False(t, v.MayElect())
	assert.Equal(t, quorum.View{Quorum: 1}, v)
	none := quorum.New(3, nil, master, nil)
	assert.False(t, none.MayElect(), "there is none to elect one")
}

func TestDetectorsElectNone(t *testing.T) {
	t.Parallel()
	v := quorum.New(1, []quorum.Opinion{watching("w-0", replica, failingOver, odown(heard))}, replica, nil).OnlyDetects()
	assert.True(t, v.ODown)
	assert.False(t, v.Electing || v.Replacing || v.Deposed)
	assert.Equal(t, 1, v.AgreeingOn(replica))
	assert.Zero(t, v.AgreeingOn(master))
}

func TestElectionTimeout(t *testing.T) {
	t.Parallel()
	for want, opinions := range map[time.Duration][]quorum.Opinion{
		25: {watching("w-0", master), watching("w-1", master), watching("w-2", "", silent)},
		35: {watching("w-0", master, failingOver), watching("w-1", master, tilted), watching("w-2", master, tilted)},
		1:  {watching("w-0", master), watching("w-1", master, failingOver, tilted), watching("w-2", "", silent)},
	} {
		v := quorum.New(3, opinions, master, nil)
		assert.Equal(t, want, v.ElectionTimeout(5, 10, 1))
	}
}
