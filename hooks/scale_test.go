package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func TestPodsAreMadeOnlyOnceTheirAddressIsPublished(t *testing.T) {
	w := newWorld(t, example(t, "standard-minimal.yaml"))
	w.sync()
	assert.Nil(t, w.set(), "no address is known yet")
	assert.NotContains(t, w.seen.ConfigMaps["shop/demo-config"].Data, "demo-0")
	w.sync()
	assert.Nil(t, w.set(), "the addresses were not published yet")
	assert.Contains(t, w.seen.ConfigMaps["shop/demo-config"].Data, "demo-2")
	w.sync()
	assert.Equal(t, int32(3), replicasOf(w.set()))
	assert.Len(t, w.topology().Spec.Shards[0].Members, 3)
}

func TestAMissingAddressHoldsBackOnlyThePodsFromThere(t *testing.T) {
	w := newWorld(t, example(t, "standard-minimal.yaml"))
	w.sync()
	w.sync()
	w.seen.Services["shop/demo-1"].Spec.ClusterIP = ""
	w.sync()
	assert.Equal(t, int32(1), replicasOf(w.set()))
	assert.Equal(t, "waiting for the Service address of demo-1", w.cr.Status.Reason)
}

func TestAddressesThatGoMissingRemoveNoPod(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	delete(w.seen.Services, "shop/demo-0")
	w.sync()
	assert.Equal(t, int32(3), replicasOf(w.set()))
}

func TestScalingDownWaitsForTheSidecar(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	w.masters[0] = "demo-2"
	w.settle()
	w.guard()
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Replicas = 1 })
	w.sync()
	shard := w.topology().Spec.Shards[0]
	assert.Equal(t, int32(3), replicasOf(w.set()))
	assert.Equal(t, int32(1), shard.Replicas)
	assert.Len(t, shard.Members, 3, "leaving pods are members until they are gone")
	assert.Equal(t, []string{"demo-1", "demo-2"}, shard.Handoff)
	assert.False(t, w.changes(w.sync), "nothing to do until the sidecar has answered")

	w.settle()
	assert.Equal(t, int32(1), replicasOf(w.set()))
	assert.Len(t, w.topology().Spec.Shards[0].Members, 1)
	assert.Empty(t, w.topology().Spec.Shards[0].Handoff)
	assert.Equal(t, "demo-0", w.cr.Status.Master)
}

func TestAGrantForAnEarlierTopologyCountsForNothing(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	w.topology().Status.Shards[0].ScaleTo = 1
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Replicas = 1 })
	w.sync()
	w.sync()
	assert.Equal(t, int32(3), replicasOf(w.set()))
}

func TestTheServiceOfAPodOutlivesIt(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	address := w.seen.Services["shop/demo-2"].Spec.ClusterIP
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Replicas = 1 })
	w.settle()
	assert.Contains(t, w.seen.Services, "shop/demo-2")
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Replicas = 3 })
	w.settle()
	assert.Equal(t, address, w.topology().Spec.Shards[0].Members[2].Address)
}

func TestAServiceThatAnotherInstanceHasIsNamed(t *testing.T) {
	w := newWorld(t, example(t, "standard-minimal.yaml"))
	w.sync()
	delete(w.seen.Services, "shop/demo-1")
	w.sync()
	delete(w.seen.Services, "shop/demo-1") // it could not be made
	w.sync()
	assert.Contains(t, w.cr.Status.Reason, "waiting for the Service demo-1; if that lasts, another instance has one of this name")
}
