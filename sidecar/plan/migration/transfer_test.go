package migration

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// What each end says decides how far a part is; what one of them does not say must not be guessed.
func TestStage(t *testing.T) {
	part, other := slots.Range{First: 0, Last: 9}, slots.Range{First: 10, Last: 19}
	says := func(r slots.Range, to string, state MoveState) *SlotMove {
		return &SlotMove{Slots: r, To: to, State: state}
	}
	const silent = true
	for name, c := range map[string]struct {
		out, in                *SlotMove
		sourceSilent, toSilent bool
		repeated               bool
		want                   stage
	}{
		"nothing began":                                {want: stageFailed},
		"the source says it goes on":                   {out: says(part, "d", MoveRunning), in: says(part, "", MoveRunning), want: stageRunning},
		"and the destination is silent":                {out: says(part, "d", MoveRunning), toSilent: silent, want: stageRunning},
		"both say success":                             {out: says(part, "d", MoveSucceeded), in: says(part, "", MoveSucceeded), want: stageArrived},
		"the source is silent, the destination has it": {in: says(part, "", MoveSucceeded), sourceSilent: silent, want: stageArrived},
		"the source has it, the destination is silent": {out: says(part, "d", MoveSucceeded), in: says(part, "", MoveSucceeded), toSilent: silent, want: stageUnknown},
		"the destination has restarted since":          {out: says(part, "d", MoveSucceeded), want: stageArrived},
		"both are silent":                              {sourceSilent: silent, toSilent: silent, want: stageUnknown},
		"the destination still waits for the source":   {out: says(part, "d", MoveFailed), in: says(part, "", MoveRunning), want: stageUnknown},
		"the source says failure":                      {out: says(part, "d", MoveFailed), in: says(part, "", MoveFailed), want: stageFailed},
		"failure after all":                            {out: says(part, "d", MoveFailed), in: says(part, "", MoveSucceeded), want: stageFailed},
		"old news of the same slots":                   {in: says(part, "", MoveSucceeded), repeated: true, want: stageFailed},
		"news of the same slots, by both":              {out: says(part, "d", MoveSucceeded), in: says(part, "", MoveSucceeded), repeated: true, want: stageArrived},
		"another part":                                 {out: says(other, "d", MoveRunning), in: says(other, "", MoveSucceeded), want: stageFailed},
		"to another shard":                             {out: says(part, "x", MoveRunning), want: stageFailed},
	} {
		t.Run(name, func(t *testing.T) {
			tr := transfer{
				m: &v1alpha1.MigrationStatus{Repeated: c.repeated}, slots: part,
				from: Shard{Index: 0, Master: Node{Pod: "s", Answers: !c.sourceSilent, Outgoing: c.out}},
				to: Shard{
					Index: 1, Entry: &layout.Shard{Nodes: []layout.Node{{ID: "d", Master: true}}},
					Master: Node{Pod: "d", ID: "d", Answers: !c.toSilent, Incoming: c.in},
				},
			}
			assert.Equal(t, c.want, tr.stage())
		})
	}
}
