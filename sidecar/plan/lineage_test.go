package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// TestVolumeOnRecord: the identity of a volume is reported with the role that its node is proved to have.
func TestVolumeOnRecord(t *testing.T) {
	given := `
		record orders-0
		orders-0 master serving volume=a
		orders-1 ->orders-0 placed volume=b had-volume=was
		orders-2 ->orders-0 syncing seq=3 volume=c had-volume=old`
	volumes := map[string]string{}
	for _, n := range plan.Standard(parse(t, given)).Status.Shards[0].Nodes {
		volumes[n.Pod] = n.Volume
	}
	assert.Equal(t, map[string]string{"orders-0": "a", "orders-1": "b", "orders-2": "old"}, volumes)
}

// TestLineageOfAVolumeThatIsNotReadYet: what a pod answers before its status tells the volume is not attributed to the volume
// that the pod had.
func TestLineageOfAVolumeThatIsNotReadYet(t *testing.T) {
	in := parse(t, `
		record orders-0
		outage MasterDown 3s
		orders-0 self seq=70 had=50 had-volume=a stopped
		orders-1 down had=50 had-volume=b`)
	node := plan.Standard(in).Status.Shards[0].Nodes[0]
	assert.Equal(t, int64(50), node.Sequence)
	assert.Equal(t, "a", node.Volume)
	assert.Equal(t, v1alpha1.RoleMaster, node.Role)
}
