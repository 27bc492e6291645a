package hooks

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/hookstest"
	"github.com/kvrocks/kvrocks-operator/hooks/podstate"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// seeds is how many random orders are tried.
var seeds = flag.Uint64("seeds", 50, "number of random orders to try")

const (
	newImage = "docker.io/apache/kvrocks:2.11.0"
	badImage = "docker.io/apache/kvrocks:no-such-tag"
)

// guard fails the test when a pod is removed that must not be.
func (w *world) guard() {
	w.onRemove = func(pod, why string) {
		staying := map[string]*corev1.Pod{} // the others are being scaled away
		for name, other := range w.pods {
			if w.ordinal(name) < w.cr.Spec.Replicas {
				staying[name] = other
			}
		}
		if len(staying) > 1 && pod == w.masters[0] {
			w.t.Errorf("the master %s was %s before the role was handed over\n%s", pod, why, strings.Join(w.story, "\n"))
		}
		for name, other := range staying {
			if why == "updated" && name != pod && podstate.Ready(w.pods[pod]) && !podstate.Ready(other) {
				w.t.Errorf("%s was updated while %s was not ready\n%s", pod, name, strings.Join(w.story, "\n"))
			}
		}
	}
}

func TestAnUpdateGoesOnePodAtATimeWithTheMasterHandedOverFirst(t *testing.T) {
	for _, replicas := range []int32{1, 2, 3, 5} {
		for master := range replicas {
			t.Run(fmt.Sprintf("master %d of %d", master, replicas), func(t *testing.T) {
				cr := example(t, "standard-minimal.yaml")
				cr.Spec.Replicas = replicas
				w := settled(t, cr)
				w.masters[0] = podName(cr.Name, master)
				w.settle()
				w.guard()
				w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
				w.moves = 0
				w.settle()
				assert.Equal(t, int(min(replicas-1, 1)), w.moves, "one handover, whichever pod is master")
				assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
				for name, pod := range w.pods {
					assert.Equal(t, newImage, pod.Spec.Containers[0].Image, name)
				}
				assert.Empty(t, w.topology().Spec.Shards[0].Handoff)
				assert.Empty(t, w.topology().Spec.Shards[0].Replace)
			})
		}
	}
}

// The actors move in a random order, see facts late, and the person changes their mind: the master is never removed before
// its role was handed over, no two pods are taken down, and it always comes to rest as wanted.
func TestUpdatesAndScalingAreSafeInAnyOrder(t *testing.T) {
	if testing.Short() {
		*seeds = (*seeds + 9) / 10
	}
	for seed := range *seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			w := settled(t, example(t, "standard-minimal.yaml"))
			w.guard()
			for change := range 4 {
				w.change(func(cr *v1alpha1.KVRocks) {
					if random.IntN(2) == 0 {
						cr.Spec.Image = fmt.Sprintf("%s-%d", newImage, change)
					} else {
						cr.Spec.Replicas = 1 + random.Int32N(5)
					}
				})
				for range random.IntN(60) {
					w.act(random)
				}
			}
			w.settle()
			assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
			assert.Len(t, w.pods, int(w.cr.Spec.Replicas))
			for name, pod := range w.pods {
				assert.Equal(t, w.cr.Spec.Image, pod.Spec.Containers[0].Image, name)
			}
			if t.Failed() {
				t.Log(strings.Join(w.story, "\n"))
			}
		})
	}
}

// act lets one actor move, or lets the hook answer a request that is out of date in its pods.
func (w *world) act(random *rand.Rand) {
	switch random.IntN(6) {
	case 0:
		w.sync()
	case 1:
		late := w.request()
		for range random.IntN(4) {
			w.controller()
			w.kubelet()
		}
		fresh := w.request()
		fresh.Related = late.Related
		response, err := Sync(fresh)
		require.NoError(w.t, err)
		w.apply(response)
	case 2:
		w.controller()
	case 3:
		w.kubelet()
	default:
		w.sidecar()
	}
}

func TestABadTemplateDoesNotBlockItsRepair(t *testing.T) {
	t.Run("on a running instance", func(t *testing.T) {
		w := settled(t, example(t, "standard-minimal.yaml"))
		w.broken = map[string]bool{badImage: true}
		w.guard()
		w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = badImage })
		w.settle()
		assert.Equal(t, v1alpha1.PhaseUpdating, w.cr.Status.Phase)
		assert.Contains(t, w.cr.Status.Reason, "demo-2")
		assert.True(t, podstate.Ready(w.pods["demo-0"]))
		assert.True(t, podstate.Ready(w.pods["demo-1"]))

		w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
		w.settle()
		assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	})
	t.Run("on an instance that never started", func(t *testing.T) {
		cr := example(t, "standard-minimal.yaml")
		cr.Spec.Image = badImage
		w := newWorld(t, cr)
		w.broken = map[string]bool{badImage: true}
		w.settle()
		require.Equal(t, v1alpha1.PhaseCreating, w.cr.Status.Phase)
		assert.Contains(t, w.cr.Status.Reason, "ImagePullBackOff")

		w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
		w.settle()
		assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	})
}

func TestPodsAreNotAllRemovedWhenItIsNotKnownWhetherTheyServed(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	for _, pod := range w.pods {
		w.setReady(pod, false)
		pod.Status.ContainerStatuses[0].Ready = false
		pod.Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
	}
	delete(w.seen.Topologies, "shop/demo") // somebody deleted it, with all that it reported
	w.sync()
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
	w.sync()
	assert.Equal(t, int32(3), replicasOf(w.set()))
}

func TestAPodOutOfServiceIsUpdatedFirstAndHoldsBackTheOthers(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	w.pods["demo-0"].Status.ContainerStatuses[0].Ready = false
	w.setReady(w.pods["demo-0"], false)
	w.broken = map[string]bool{badImage: true}
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = badImage })
	w.settle()
	assert.Equal(t, "waiting for demo-0 to be ready with the new template; the pod demo-0 cannot start: ImagePullBackOff: "+
		"the image docker.io/apache/kvrocks:no-such-tag cannot be pulled", w.cr.Status.Reason)
	assert.Len(t, w.topology().Spec.Shards[0].Replace, 2)
	assert.True(t, podstate.Ready(w.pods["demo-1"]))
	assert.True(t, podstate.Ready(w.pods["demo-2"]))
}

func TestNothingMovesWhileTheSidecarIsAway(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
	for range 10 {
		w.sync()
		w.controller()
		w.kubelet()
	}
	assert.Len(t, w.topology().Spec.Shards[0].Replace, 3)
	assert.Equal(t, "updating demo-2", w.cr.Status.Reason)
	for name, pod := range w.pods {
		assert.Nil(t, pod.DeletionTimestamp, name)
	}
}

func TestAPodThatComesBackInASettledInstanceIsNotHandedOff(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	delete(w.pods, w.masters[0])
	w.sync()
	assert.Empty(t, w.topology().Spec.Shards[0].Handoff)
	assert.Empty(t, w.topology().Spec.Shards[0].Replace)
}

// Kubectl changes the template of the StatefulSet itself.
func TestARestartIsARollLikeAnother(t *testing.T) {
	restart := func(w *world, at string) {
		w.set().Spec.Template.Annotations[hookstest.RestartedAt] = at
		w.set().Generation++
	}
	for master := range int32(3) {
		t.Run(fmt.Sprintf("master %d", master), func(t *testing.T) {
			w := settled(t, example(t, "standard-minimal.yaml"))
			w.masters[0] = podName("demo", master)
			w.settle()
			w.guard()
			var removed []string
			guarded := w.onRemove
			w.onRemove = func(pod, why string) {
				guarded(pod, why)
				removed = append(removed, pod)
			}
			w.moves = 0
			restart(w, "first")
			w.sync()
			assert.Empty(t, w.topology().Spec.Shards[0].Replace, "nothing moves before the StatefulSet's controller has seen it")
			w.settle()
			assert.Len(t, removed, 3)
			assert.Equal(t, podName("demo", master), removed[2], "the master is last")
			assert.Equal(t, 1, w.moves)

			restart(w, "second")
			w.settle()
			assert.Len(t, removed, 6)
			assert.Equal(t, 2, w.moves)
			for name, pod := range w.pods {
				assert.Equal(t, "second", pod.Annotations[hookstest.RestartedAt], name)
			}
		})
	}
	t.Run("during a roll", func(t *testing.T) {
		w := settled(t, example(t, "standard-minimal.yaml"))
		w.guard()
		w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
		for range 4 {
			w.sync()
			w.controller()
			w.sidecar()
		}
		restart(w, "now")
		w.settle()
		assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
		for name, pod := range w.pods {
			assert.Equal(t, newImage, pod.Spec.Containers[0].Image, name)
			assert.Equal(t, "now", pod.Annotations[hookstest.RestartedAt], name)
		}
	})
}

// An instance that was rolled by a partition until now.
func TestTheChangeOfStrategyRollsNothing(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	partition := int32(2)
	w.set().Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{
		Type:          appsv1.RollingUpdateStatefulSetStrategyType,
		RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: &partition},
	}
	w.onRemove = func(pod, why string) { t.Errorf("%s was %s", pod, why) }
	w.sync()
	assert.Equal(t, appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}, w.set().Spec.UpdateStrategy)
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
}

func TestARollGoesBeforeScalingDownWhereTheMasterLeaves(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	w.masters[0] = "demo-2"
	w.settle()
	w.guard()
	w.moves = 0
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image, cr.Spec.Replicas = newImage, 2 })
	w.sync()
	w.controller()
	w.sync()
	shard := w.topology().Spec.Shards[0]
	assert.Equal(t, []string{"demo-2"}, shard.Handoff)
	assert.Len(t, shard.Replace, 2, "one that leaves need not be replaced")
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	assert.Len(t, w.pods, 2)
}

func TestASettingThatIsAppliedLiveRestartsNothing(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	before := w.set().Spec.DeepCopy()
	w.change(func(cr *v1alpha1.KVRocks) {
		cr.Spec.KVRocksConfig = v1alpha1.KVRocksConfig{"maxclients": "100", "migrate-batch-size-kb": "16"}
	})
	w.sync()
	assert.Equal(t, *before, w.set().Spec)
	assert.Equal(t, map[string]string{"maxclients": "100", "repl-namespace-enabled": "yes"}, w.topology().Spec.Config, "the other would crash the nodes")
	assert.Contains(t, w.seen.ConfigMaps["shop/demo-config"].Data[configFile], "maxclients 100\n")
}

// The process keeps a value that was set live: only a restart brings the default back.
func TestALiveSettingThatIsRemovedIsRolledOut(t *testing.T) {
	for _, file := range []string{"standard-minimal.yaml", "cluster-minimal.yaml"} {
		t.Run(file, func(t *testing.T) {
			cr := example(t, file)
			cr.Spec.KVRocksConfig = v1alpha1.KVRocksConfig{"maxclients": "100", "hz": "10", "log-level": "info"}
			w := settled(t, cr)
			pods := len(w.podNames())
			name := cr.Name
			if cr.Spec.Type == v1alpha1.TypeCluster {
				name += "-0"
			}
			template := func() string { return w.setNamed(name).Spec.Template.Annotations[annotationTemplate] }
			before := template()

			w.change(func(cr *v1alpha1.KVRocks) { delete(cr.Spec.KVRocksConfig, "hz") })
			w.settle()
			assert.Equal(t, before, template(), "what kvrocks did not know needs no way back")

			w.change(func(cr *v1alpha1.KVRocks) { delete(cr.Spec.KVRocksConfig, "maxclients") })
			w.sync()
			applied := meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionConfigApplied)
			assert.Equal(t, metav1.ConditionFalse, applied.Status)
			assert.Equal(t, reasonRestartPending, applied.Reason)
			w.settle()
			assert.NotEqual(t, before, template())
			assert.Equal(t, int64(1), w.topology().Spec.ConfigEpoch)
			assert.NotContains(t, w.topology().Spec.Config, "maxclients")
			assert.Contains(t, w.topology().Spec.Config, "log-level")
			assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
			assert.Equal(t, metav1.ConditionTrue, meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionConfigApplied).Status)
			assert.Len(t, w.podNames(), pods)

			after := template()
			w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.KVRocksConfig["maxclients"] = "200" })
			w.settle()
			assert.Equal(t, after, template(), "one that comes is applied live")
			delete(w.seen.Topologies, w.cr.Namespace+"/"+w.cr.Name)
			w.settle()
			assert.Equal(t, after, template(), "the count outlives the topology")
		})
	}
}

func TestASettingThatKvrocksOnlyReadsAtStartIsRolledOut(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	hash := w.set().Spec.Template.Annotations[annotationTemplate]
	w.change(func(cr *v1alpha1.KVRocks) {
		cr.Spec.KVRocksConfig = v1alpha1.KVRocksConfig{"rocksdb.block_size": "4096"}
	})
	w.sync()
	assert.NotEqual(t, hash, w.set().Spec.Template.Annotations[annotationTemplate])
	assert.NotContains(t, w.topology().Spec.Config, "rocksdb.block_size")
}
