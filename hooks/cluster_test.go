package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	appsv1 "k8s.io/api/apps/v1"
)

func (w *world) setNamed(name string) *appsv1.StatefulSet { return w.seen.StatefulSets["shop/"+name] }

func TestAClusterSettles(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	status := w.cr.Status
	assert.Equal(t, "9/9", status.Ready)
	assert.Equal(t, "3/3", status.ShardsReady)
	assert.Equal(t, "16384/16384", status.Slots)
	assert.Equal(t, []string{
		"0-5460: shard 0, master shards-0-0", "5461-10922: shard 1, master shards-1-0", "10923-16383: shard 2, master shards-2-0",
	}, status.SlotMap)
	assert.Equal(t, int32(3), status.Replicas, "pods per shard")
}
