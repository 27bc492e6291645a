package hooks

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/hookstest"
	"github.com/kvrocks/kvrocks-operator/hooks/podstate"
)

func (w *world) setNamed(name string) *appsv1.StatefulSet { return w.seen.StatefulSets["shop/"+name] }

func (w *world) setShards(n int32) {
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Master = &n })
}

func TestWhatAPersonSeesOfASettledCluster(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	status := w.cr.Status
	assert.Equal(t, "9/9", status.Ready)
	assert.Equal(t, "3/3", status.ShardsReady)
	assert.Equal(t, "16384/16384", status.Slots)
	assert.Equal(t, []string{
		"0-5460: shard 0, master shards-0-0",
		"5461-10922: shard 1, master shards-1-0",
		"10923-16383: shard 2, master shards-2-0",
	}, status.SlotMap)
	assert.Equal(t, int32(3), status.Replicas, "pods per shard, as spec.replicas is")
	assert.Len(t, status.Shards, 3)
	assert.Empty(t, status.Reason)
	assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionSlotsAssigned).Status)
}

func TestShardsAreNamedForSentinelAsNoInstanceCanBe(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	for i, shard := range w.topology().Spec.Shards {
		assert.Equal(t, int32(i), shard.Index)
		assert.Equal(t, "shards."+string(rune('0'+i)), shard.MasterName)
		assert.Len(t, shard.Members, 3)
		assert.False(t, shard.Leaving)
	}
	assert.Equal(t, "http://shards-controller.shop.svc:9379", w.topology().Spec.Controller.URL)
}

func TestANewShardComesAsTheFirstDid(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	before := w.setNamed("shards-0").Spec
	w.setShards(5)
	w.sync()
	assert.Nil(t, w.setNamed("shards-3"), "its pods have no address yet")
	assert.Equal(t, v1alpha1.PhaseUpdating, w.cr.Status.Phase, "the others serve")
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	assert.Equal(t, int32(3), replicasOf(w.setNamed("shards-4")))
	assert.Equal(t, "15/15", w.cr.Status.Ready)
	assert.Equal(t, "5/5", w.cr.Status.ShardsReady)
	assert.Equal(t, before, w.setNamed("shards-0").Spec)
}

func TestAShardThatOwnsSlotsIsNotRemoved(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	w.setShards(5)
	w.settle()
	w.slots[3] = "100-199,300"
	w.settle()
	w.setShards(3)
	w.settle()
	assert.NotNil(t, w.setNamed("shards-3"))
	assert.Nil(t, w.setNamed("shards-4"), "it owned none")
	assert.NotContains(t, w.seen.Services, "shop/shards-4-0")
	assert.NotContains(t, w.seen.PodDisruptionBudgets, "shop/shards-4")
	assert.Len(t, w.seen.PodDisruptionBudgets, 5, "four shards and etcd")
	require.Len(t, w.topology().Spec.Shards, 4)
	assert.True(t, w.topology().Spec.Shards[3].Leaving)
	progressing := w.condition(v1alpha1.ConditionProgressing)
	assert.Equal(t, reasonShardOwnsSlots, progressing.Reason)
	assert.Equal(t, "shard 3 is to be removed and owns the slots 100-199,300; move them to the shards 0 to 2 with spec.migrate, or write cluster: {drain: true}",
		progressing.Message)
	assert.Equal(t, "9/9", w.cr.Status.Ready, "a shard that is to go is not counted")

	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Cluster = &v1alpha1.ClusterSpec{Drain: true} })
	w.sync()
	assert.Equal(t, reasonApplying, w.condition(v1alpha1.ConditionProgressing).Reason)
	w.sync()
	assert.Equal(t, reasonDraining, w.condition(v1alpha1.ConditionProgressing).Reason)
	assert.True(t, w.topology().Spec.Migration.Drain)

	delete(w.slots, 3)
	w.settle()
	assert.Nil(t, w.setNamed("shards-3"))
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	assert.Len(t, w.topology().Spec.Shards, 3)
	assert.Len(t, w.pods, 9+3)
}

func TestTheServicesOfARemovedShardOutliveItsPods(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	w.setShards(5)
	w.settle()
	w.setShards(3)
	w.sync()
	assert.NotNil(t, w.setNamed("shards-4"), "the sidecar has not said anything yet")
	w.sidecar()
	w.sync()
	assert.Nil(t, w.setNamed("shards-4"))
	assert.Contains(t, w.seen.Services, "shop/shards-4-0", "its address must not go to somebody else while the pod runs")
	assert.Len(t, w.topology().Spec.Shards, 5)
	assert.False(t, w.changes(w.sync), "at rest until the pods are gone")
	assert.Equal(t, reasonRemovingShard, w.condition(v1alpha1.ConditionProgressing).Reason)
	w.controller()
	w.controller()
	w.sync()
	assert.NotContains(t, w.seen.Services, "shop/shards-4-0")
	assert.Len(t, w.topology().Spec.Shards, 3)
}

func TestLeaveToRemoveAShardCountsOnlyForTheTopologyThatAskedForIt(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	w.setShards(5)
	w.settle()
	for i := range w.topology().Status.Shards {
		w.topology().Status.Shards[i].Removable = true // as an earlier topology may have found it
	}
	w.setShards(3)
	w.sync()
	w.sync()
	assert.NotNil(t, w.setNamed("shards-3"))
	assert.NotNil(t, w.setNamed("shards-4"))
	for i := range int32(3) {
		assert.NotNil(t, w.setNamed(podName("shards", i)), "a wanted shard is never removed")
	}
}

func TestAShardThatIsWantedAgainStays(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	w.setShards(5)
	w.settle()
	w.slots[4] = "7"
	w.sidecar()
	w.setShards(3)
	w.settle()
	w.setShards(5)
	w.settle()
	assert.Equal(t, "15/15", w.cr.Status.Ready)
	for _, shard := range w.topology().Spec.Shards {
		assert.False(t, shard.Leaving)
	}
}

func TestANewTemplateIsRolledOutOneShardAtATime(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	for i := range int32(3) {
		w.masters[i] = podName(podName("shards", i), i) // on another ordinal in each
	}
	w.settle()
	var order []string
	w.onRemove = func(pod, why string) {
		order = append(order, pod)
		assert.NotContains(t, slices.Collect(maps.Values(w.masters)), pod, "the master was %s before the role was handed over", why)
		for name, other := range w.pods {
			assert.True(t, name == pod || podstate.Ready(other), "%s was %s while %s was not ready", pod, why, name)
		}
	}
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
	w.sync()
	for _, shard := range w.topology().Spec.Shards {
		assert.Empty(t, shard.Replace, "a pod that is deleted before the StatefulSet's controller has seen the template comes back as it was")
	}
	w.moves = 0
	w.settle()
	assert.Equal(t, 3, w.moves, "one handover for each shard")
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	assert.Len(t, order, 9)
	assert.True(t, slices.IsSortedFunc(order, func(a, b string) int { return strings.Compare(hookstest.SetOf(a), hookstest.SetOf(b)) }), "%s", order)
	for _, shard := range w.topology().Spec.Shards {
		assert.Empty(t, shard.Replace)
	}
}

func TestABadTemplateStopsAtTheFirstPodOfACluster(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	w.broken = map[string]bool{badImage: true}
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = badImage })
	w.settle()
	assert.Contains(t, w.cr.Status.Reason, "shards-0-2")
	for name, pod := range w.pods {
		assert.Equal(t, name != "shards-0-2", podstate.Ready(pod), name)
	}
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
}

func TestAClusterThatNeverStartedIsRepairedByItsNextTemplate(t *testing.T) {
	for _, file := range []string{"cluster-minimal.yaml", "cluster-full.yaml"} { // without and with an init container
		t.Run(file, func(t *testing.T) {
			cr := example(t, file)
			cr.Spec.Image = badImage
			w := newWorld(t, cr)
			w.broken = map[string]bool{badImage: true}
			w.slots = map[int32]string{} // none was ever assigned
			w.settle()
			require.Equal(t, v1alpha1.PhaseCreating, w.cr.Status.Phase)
			w.slots = evenSlots()
			w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
			w.settle()
			assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
		})
	}
}

func TestInstancesBesideEachOtherShareNothing(t *testing.T) {
	taken := map[string]string{}
	for file, names := range map[string][]string{
		"cluster-minimal.yaml": {"a", "b", "a-b", "a-1"}, "standard-minimal.yaml": {"c", "a-etcd-0"}, "sentinel-minimal.yaml": {"d"},
	} {
		for _, name := range names {
			cr := example(t, file)
			cr.Name = name
			for _, raw := range settled(t, cr).last.Children {
				var head metav1.PartialObjectMetadata
				require.NoError(t, json.Unmarshal(raw, &head))
				object := head.Kind + "/" + head.Name
				assert.Empty(t, taken[object], "%s belongs to %s as well", object, name)
				taken[object] = name
			}
		}
	}
}

func TestWhatMovesIsPassedOnAndShown(t *testing.T) {
	w := settled(t, example(t, "cluster-full.yaml"))
	spec := w.topology().Spec
	assert.Equal(t, []v1alpha1.TopologyMigration{{Shard: 1, Slots: []v1alpha1.SlotRange{"1-2", "300"}}}, spec.Migrate)
	assert.Equal(t, v1alpha1.MigrationPolicy{Drain: true, KeysPerSecond: 20000, DeadlineSeconds: 7200}, *spec.Migration)

	status := &w.topology().Status
	status.Migrations = []v1alpha1.MigrationStatus{
		{Slots: "1-2", From: 0, To: 1, State: v1alpha1.MigrationDone},
		{Slots: "300", From: 0, To: 1, State: v1alpha1.MigrationRunning, Message: "half of it"},
	}
	w.sync()
	assert.Equal(t, status.Migrations, w.cr.Status.Migrations)
	assert.Equal(t, reasonMigrating, w.condition(v1alpha1.ConditionProgressing).Reason)
	assert.Equal(t, "moving the slots 300 from shard 0 to shard 1: half of it", w.cr.Status.Reason)
	assert.Equal(t, v1alpha1.PhaseUpdating, w.cr.Status.Phase)

	status.Migrations[1].State = v1alpha1.MigrationPending
	w.change(func(cr *v1alpha1.KVRocks) {
		cr.Annotations = map[string]string{v1alpha1.AnnotationMigration: v1alpha1.MigrationPaused}
	})
	w.sync()
	assert.True(t, w.topology().Spec.Migration.Paused)
	w.confirm()
	w.sync()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, "nothing is waited for but the person")

	status = &w.topology().Status
	status.Migrations[1].State, status.Migrations[1].Message = v1alpha1.MigrationFailed, "too slow"
	w.sync()
	assert.Equal(t, reasonMigrationFailed, w.condition(v1alpha1.ConditionDegraded).Reason)
	assert.Equal(t, metav1.ConditionFalse, w.condition(v1alpha1.ConditionReady).Status)

	status.Migrations[1].State = v1alpha1.MigrationDone
	w.sync()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
}

func TestTheSlotMapIsInTheOrderOfTheSlots(t *testing.T) {
	w := newWorld(t, example(t, "cluster-minimal.yaml"))
	w.slots = map[int32]string{0: "0-99,200-5460", 1: "100-199,5461-10922,10924", 2: "10925-16383"}
	w.settle()
	assert.Equal(t, "16383/16384", w.cr.Status.Slots)
	assert.Equal(t, []string{
		"0-99: shard 0, master shards-0-0", "100-199: shard 1, master shards-1-0", "200-5460: shard 0, master shards-0-0",
		"5461-10922: shard 1, master shards-1-0", "10924: shard 1, master shards-1-0", "10925-16383: shard 2, master shards-2-0",
	}, w.cr.Status.SlotMap)
}

func TestTheOlderClusterBecomesThreeShardsOfTwo(t *testing.T) {
	w := settled(t, readFile(t, "../examples/legacy/cluster.yaml"))
	assert.Equal(t, "6/6", w.cr.Status.Ready)
	assert.Equal(t, "2", w.setNamed("kvrocks-cluster-1-demo-2").Spec.Template.Spec.Containers[0].Resources.Limits.Cpu().String())
	assert.Contains(t, w.seen.ConfigMaps["shop/kvrocks-cluster-1-demo-config"].Data[configFile], "cluster-enabled yes\n")
	for _, raw := range w.last.Children {
		if !strings.Contains(string(raw), `"kind":"Secret"`) {
			assert.NotContains(t, string(raw), w.cr.Spec.Password+`"`)
		}
	}
}

func TestWhatAClusterWasMadeWithCannotBeChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*v1alpha1.KVRocksSpec)
		want   string
	}{
		"storage": {func(s *v1alpha1.KVRocksSpec) { s.Storage = nil }, "spec.storage cannot be added"},
		"size":    {func(s *v1alpha1.KVRocksSpec) { s.Storage.Size = resource.MustParse("512Mi") }, "spec.storage.size cannot become smaller"},
		"size of etcd": {
			func(s *v1alpha1.KVRocksSpec) { s.Cluster.Etcd.Storage = nil }, "spec.cluster.etcd.storage.size cannot become smaller",
		},
		"no password any more": {
			func(s *v1alpha1.KVRocksSpec) { s.PasswordSecretRef = nil }, "the password cannot be removed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := settled(t, example(t, "cluster-full.yaml"))
			w.change(func(cr *v1alpha1.KVRocks) { c.change(&cr.Spec) })
			before := w.fingerprintOfChildren()
			w.sync()
			assert.Contains(t, w.cr.Status.Reason, c.want)
			assert.Equal(t, before, w.fingerprintOfChildren())
		})
	}
}

func TestOnlyTheSidecarReachesWhatKnowsThePassword(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	controller := w.seen.NetworkPolicies["shop/shards-controller"].Spec
	require.Len(t, controller.Ingress, 1)
	assert.Equal(t, map[string]string{"app.kubernetes.io/name": "kvrocks-sidecar"}, controller.Ingress[0].From[0].PodSelector.MatchLabels)
	etcd := w.seen.NetworkPolicies["shop/shards-etcd"].Spec
	assert.True(t, labels.SelectorFromSet(etcd.PodSelector.MatchLabels).Matches(labels.Set(w.setNamed("shards-etcd").Spec.Template.Labels)))
	assert.EqualValues(t, etcdClientPort, etcd.Ingress[0].Ports[0].Port.IntVal)
	assert.Equal(t, w.kvctl().Spec.Selector.MatchLabels, etcd.Ingress[0].From[0].PodSelector.MatchLabels)
	assert.Nil(t, etcd.Ingress[0].From[0].NamespaceSelector, "of this namespace")
}
