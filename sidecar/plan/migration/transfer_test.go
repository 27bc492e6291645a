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
	says := func(r slots.Range, to string, state layout.MoveState) *layout.SlotMove {
		return &layout.SlotMove{Slots: r, To: to, State: state}
	}
	const silent = true
	for name, c := range map[string]struct {
		out, in                *layout.SlotMove
		sourceSilent, toSilent bool
		repeated               bool
		want                   stage
	}{
		"nothing began":                                {want: stageFailed},
		"the source says it goes on":                   {out: says(part, "d", layout.MoveRunning), in: says(part, "", layout.MoveRunning), want: stageRunning},
		"and the destination is silent":                {out: says(part, "d", layout.MoveRunning), toSilent: silent, want: stageRunning},
		"both say success":                             {out: says(part, "d", layout.MoveSucceeded), in: says(part, "", layout.MoveSucceeded), want: stageArrived},
		"the source is silent, the destination has it": {in: says(part, "", layout.MoveSucceeded), sourceSilent: silent, want: stageArrived},
		"the source has it, the destination is silent": {out: says(part, "d", layout.MoveSucceeded), in: says(part, "", layout.MoveSucceeded), toSilent: silent, want: stageUnknown},
		"the destination has restarted since":          {out: says(part, "d", layout.MoveSucceeded), want: stageArrived},
		"both are silent":                              {sourceSilent: silent, toSilent: silent, want: stageUnknown},
		"the destination still waits for the source":   {out: says(part, "d", layout.MoveFailed), in: says(part, "", layout.MoveRunning), want: stageUnknown},
		"the source says failure":                      {out: says(part, "d", layout.MoveFailed), in: says(part, "", layout.MoveFailed), want: stageFailed},
		"failure after all":                            {out: says(part, "d", layout.MoveFailed), in: says(part, "", layout.MoveSucceeded), want: stageFailed},
		"old news of the same slots":                   {in: says(part, "", layout.MoveSucceeded), repeated: true, want: stageFailed},
		"news of the same slots, by both":              {out: says(part, "d", layout.MoveSucceeded), in: says(part, "", layout.MoveSucceeded), repeated: true, want: stageArrived},
		"another part":                                 {out: says(other, "d", layout.MoveRunning), in: says(other, "", layout.MoveSucceeded), want: stageFailed},
		"to another shard":                             {out: says(part, "x", layout.MoveRunning), want: stageFailed},
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
