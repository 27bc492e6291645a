package reconcile

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

func TestSentinelsAreGivenAMasterTogetherAndEachOneAtATime(t *testing.T) {
	a, b := plan.Monitor{Sentinel: "watch-0", MasterName: "orders.0"}, plan.Monitor{Sentinel: "watch-1", MasterName: "orders.0"}
	again := plan.Monitor{Sentinel: "watch-0", MasterName: "orders.1"}
	promote := plan.Promote{Pod: "orders-1"}
	for name, test := range map[string]struct {
		actions []plan.Action
		want    int
	}{
		"nothing":                     {nil, 0},
		"what comes first":            {[]plan.Action{promote, a, b}, 0},
		"each sentinel":               {[]plan.Action{a, b, promote}, 2},
		"not the same sentinel twice": {[]plan.Action{a, b, again}, 2},
	} {
		t.Run(name, func(t *testing.T) { assert.Len(t, monitorsTogether(test.actions), test.want) })
	}
}
