package reconcile

import (
	"testing"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/stretchr/testify/assert"
)

func TestSentinelsAreGivenAMasterTogetherAndEachOneAtATime(t *testing.T) {
	a, b := action.Monitor{Sentinel: "watch-0", MasterName: "orders.0"}, action.Monitor{Sentinel: "watch-1", MasterName: "orders.0"}
	again := action.Monitor{Sentinel: "watch-0", MasterName: "orders.1"}
	promote := action.Promote{Pod: "orders-1"}
	for name, test := range map[string]struct {
		actions []action.Action
		want    int
	}{
		"nothing":                     {nil, 0},
		"what comes first":            {[]action.Action{promote, a, b}, 0},
		"each sentinel":               {[]action.Action{a, b, promote}, 2},
		"not the same sentinel twice": {[]action.Action{a, b, again}, 2},
	} {
		t.Run(name, func(t *testing.T) { assert.Len(t, monitorsTogether(test.actions), test.want) })
	}
}
