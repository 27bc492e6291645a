package hooks

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/hookstest"
	"github.com/kvrocks/kvrocks-operator/hooks/podstate"
)

// crash makes a member fail as one that came back without its volume does.
func (w *world) crash(pod string, restarts int32) {
	w.t.Helper()
	p := w.pods[pod]
	require.NotNil(w.t, p, pod)
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: v1alpha1.ContainerEtcd, RestartCount: restarts,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
	}}
	w.setReady(p, false)
	w.count(w.setNamed(hookstest.SetOf(pod)))
}

// replace is a pod that was deleted with its volume, and made again.
func (w *world) replace(pod string) {
	delete(w.pods, pod)
	w.controller()
}

func (w *world) etcdPods() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(w.pods)), func(pod string) bool { return !strings.HasPrefix(pod, "shards-etcd-") })
}

func TestEtcdBeginsAgainWhenAMemberLostItsVolume(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	w.replace("shards-etcd-1")
	w.crash("shards-etcd-1", 2)
	w.sync()
	assert.Equal(t, int32(3), replicasOf(w.setNamed("shards-etcd")), "it may still come up")
	assert.Equal(t, "the pod shards-etcd-1 cannot start: CrashLoopBackOff", w.cr.Status.Reason)

	w.crash("shards-etcd-1", lostAfterRestarts)
	w.sync()
	assert.Zero(t, replicasOf(w.setNamed("shards-etcd")))
	assert.Contains(t, w.cr.Status.Reason, "starting etcd again, because shards-etcd-1 came back without what it had")
	w.controller() // the pods are asked to end
	w.sync()
	assert.Zero(t, replicasOf(w.setNamed("shards-etcd")), "volumes go with the last of the pods")
	assert.Len(t, w.etcdPods(), 3)
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	assert.Len(t, w.etcdPods(), 3)
}

func TestEtcdThatServesWaitsForACalmMomentToBeginAgain(t *testing.T) {
	for name, disturb := range map[string]func(*v1alpha1.KVRocksTopologyStatus){
		"a master is down": func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[1].Outage = &v1alpha1.Outage{} },
		"slots move": func(s *v1alpha1.KVRocksTopologyStatus) {
			s.Migrations = []v1alpha1.MigrationStatus{{State: v1alpha1.MigrationRunning}}
		},
		"a shard is without": func(s *v1alpha1.KVRocksTopologyStatus) {
			meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionPrimaryAvailable).Status = metav1.ConditionFalse
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := settled(t, example(t, "cluster-minimal.yaml"))
			w.replace("shards-etcd-1")
			w.crash("shards-etcd-1", lostAfterRestarts)
			disturb(&w.topology().Status)
			before := w.setNamed("shards-etcd").Annotations[lastApplied]
			w.sync()
			assert.Equal(t, before, w.setNamed("shards-etcd").Annotations[lastApplied])
			assert.Contains(t, w.cr.Status.Reason, "waiting until every shard has its master")

			w.replace("shards-etcd-2") // and with it the majority
			w.crash("shards-etcd-2", lostAfterRestarts)
			w.sync()
			assert.Zero(t, replicasOf(w.setNamed("shards-etcd")))
		})
	}
}

func TestEtcdDoesNotBeginAgainForNothing(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"a member that fails since the last start": func(w *world) { w.crash("shards-etcd-1", 9) },
		"a member that cannot be scheduled": func(w *world) {
			w.replace("shards-etcd-1")
			w.pods["shards-etcd-1"].Status.Conditions = []corev1.PodCondition{{
				Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
			}}
		},
		"another container of a member fails": func(w *world) {
			w.replace("shards-etcd-1")
			w.crash("shards-etcd-1", lostAfterRestarts)
			w.pods["shards-etcd-1"].Status.ContainerStatuses[0].Name = "exporter"
		},
		"a member that is being made": func(w *world) {
			w.replace("shards-etcd-2")
			w.crash("shards-etcd-2", lostAfterRestarts)
			delete(w.pods, "shards-etcd-1")
		},
		"all of them made anew": func(w *world) {
			for i := range int32(3) {
				w.replace(podName("shards-etcd", i))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := settled(t, example(t, "cluster-minimal.yaml"))
			spoil(w)
			w.sync()
			assert.Equal(t, int32(3), replicasOf(w.setNamed("shards-etcd")))
		})
	}
}

func TestAnotherNumberOfMembersIsANewEtcd(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	w.change(func(cr *v1alpha1.KVRocks) {
		cr.Spec.Cluster = &v1alpha1.ClusterSpec{Etcd: v1alpha1.EtcdSpec{Replicas: 1}}
	})
	w.sync()
	assert.Zero(t, replicasOf(w.setNamed("shards-etcd")))
	w.settle()
	assert.Equal(t, []string{"shards-etcd-0"}, w.etcdPods())
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	args := strings.Join(w.setNamed("shards-etcd").Spec.Template.Spec.Containers[0].Args, " ")
	assert.Contains(t, args, "--initial-cluster=shards-etcd-0=http://shards-etcd-0.shards-etcd-peer.shop.svc:2380 ")
}

func TestEtcdWithoutVolumesBeginsAgainAfterThePodsOfTheShardsWereReplaced(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	var order []string
	w.onRemove = func(pod, _ string) { order = append(order, hookstest.SetOf(pod)) }
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.PodAnnotations = map[string]string{"a": "b"} })
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	assert.Equal(t, []string{"shards-0", "shards-1", "shards-2", "shards-etcd"}, slices.Compact(order))
	assert.Equal(t, "b", w.pods["shards-etcd-0"].Annotations["a"])
}

func TestEtcdWithVolumesIsUpdatedMemberByMember(t *testing.T) {
	w := settled(t, example(t, "cluster-full.yaml"))
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Cluster.Etcd.Image += "-next" })
	w.onRemove = func(pod, why string) {
		assert.Equal(t, "updated", why, pod)
		for name, other := range w.pods {
			assert.True(t, name == pod || podstate.Ready(other), "%s was updated while %s was not ready", pod, name)
		}
	}
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	assert.Contains(t, w.pods["catalog-etcd-0"].Spec.Containers[0].Image, "-next")
}

func TestEtcdsVolumesAreEmptiedWhenItBeginsAgain(t *testing.T) {
	w := settled(t, example(t, "cluster-full.yaml"))
	policy := w.setNamed("catalog-etcd").Spec.PersistentVolumeClaimRetentionPolicy
	assert.EqualValues(t, "Delete", policy.WhenScaled)
	assert.EqualValues(t, "Retain", policy.WhenDeleted)
	assert.EqualValues(t, "Retain", w.setNamed("catalog-0").Spec.PersistentVolumeClaimRetentionPolicy.WhenScaled)
}
