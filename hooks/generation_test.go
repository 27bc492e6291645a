package hooks

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// changesThatOnlyTheSidecarCarriesOut restart no pod, so that nothing but the topology tells that they were not done yet.
func changesThatOnlyTheSidecarCarriesOut() map[string]func(*v1alpha1.KVRocks) {
	return map[string]func(*v1alpha1.KVRocks){
		"a live setting": func(cr *v1alpha1.KVRocks) { cr.Spec.KVRocksConfig = v1alpha1.KVRocksConfig{"maxclients": "123"} },
		"failover": func(cr *v1alpha1.KVRocks) {
			cr.Spec.Failover = &v1alpha1.Failover{DownAfterMilliseconds: 7000}
		},
		"password": func(cr *v1alpha1.KVRocks) { cr.Spec.Password = "another" },
		"migrate": func(cr *v1alpha1.KVRocks) {
			cr.Spec.Migrate = []v1alpha1.Migration{{Shard: 1, Slots: []v1alpha1.WantedSlots{"7"}}}
		},
		"rebalance": func(cr *v1alpha1.KVRocks) { cr.Spec.Cluster.Rebalance = true },
		"the sentinel": func(cr *v1alpha1.KVRocks) {
			cr.Labels = map[string]string{v1alpha1.LabelMonitoredBy: "another"}
			cr.Generation-- // a label is no part of it
		},
		"nothing": func(*v1alpha1.KVRocks) {},
	}
}

func TestReadyWaitsForTheReportOnTheTopologyOfItsGeneration(t *testing.T) {
	for _, file := range []string{"standard-minimal.yaml", "cluster-minimal.yaml"} {
		for name, edit := range changesThatOnlyTheSidecarCarriesOut() {
			if (name == "migrate" || name == "rebalance") && file != "cluster-minimal.yaml" {
				continue
			}
			t.Run(file+"/"+name, func(t *testing.T) {
				w := newWorld(t, example(t, file))
				w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Password = "one" })
				w.settle()
				before := w.cr.Generation
				w.change(edit)
				for range 4 { // however often it is called, and whatever others do
					w.sync()
					w.controller()
					w.deployments()
					assert.Equal(t, metav1.ConditionFalse, w.condition(v1alpha1.ConditionReady).Status)
					assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionProgressing).Status)
					assert.Equal(t, v1alpha1.PhaseUpdating, w.cr.Status.Phase)
					assert.NotEmpty(t, w.cr.Status.Reason)
					assert.Equal(t, before, w.condition(v1alpha1.ConditionConfigApplied).ObservedGeneration, "that is what it is about")
				}
				assert.Equal(t, reasonNotReported, w.condition(v1alpha1.ConditionReady).Reason, "all is applied; the sidecar has not answered")
				w.settle()
				assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionReady).Status)
				for _, c := range w.cr.Status.Conditions {
					assert.Equal(t, w.cr.Generation, c.ObservedGeneration, c.Type)
				}
			})
		}
	}
}

func TestAConditionThatTheSidecarHasNotJudgedAgainHoldsReadyBack(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	before := w.cr.Generation
	w.change(changesThatOnlyTheSidecarCarriesOut()["a live setting"])
	w.sync()
	w.confirm()
	meta.FindStatusCondition(w.topology().Status.Conditions, v1alpha1.ConditionConfigApplied).ObservedGeneration-- // no settings were read in this pass
	w.sync()
	assert.Equal(t, metav1.ConditionFalse, w.condition(v1alpha1.ConditionReady).Status)
	assert.Contains(t, w.cr.Status.Reason, v1alpha1.ConditionConfigApplied)
	assert.Equal(t, before, w.condition(v1alpha1.ConditionConfigApplied).ObservedGeneration)
	assert.Equal(t, w.cr.Generation, w.condition(v1alpha1.ConditionPrimaryAvailable).ObservedGeneration)
}

func TestAConditionOfAnUnknownGenerationIsUnknown(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	w.cr.Status.Conditions = nil
	for i := range w.topology().Status.Conditions {
		w.topology().Status.Conditions[i].ObservedGeneration--
	}
	w.sync()
	assert.Equal(t, metav1.ConditionUnknown, w.condition(v1alpha1.ConditionPrimaryAvailable).Status)
}

func TestAChangeOfTheReferencedSecretIsKnownAtOnce(t *testing.T) {
	cr := example(t, "standard-minimal.yaml")
	cr.Spec.PasswordSecretRef = &v1alpha1.SecretKeyRef{Name: "mine", Key: "password"}
	rules, err := Customize(&metacontroller.CustomizeRequest{Parent: newWorld(t, cr).cr})
	require.NoError(t, err)
	require.Len(t, rules.RelatedResources, 2)
	assert.Equal(t, metacontroller.RelatedResourceRule{APIVersion: "v1", Resource: "secrets", Namespace: "shop", Names: []string{"mine"}}, rules.RelatedResources[1])

	w := settled(t, cr)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "mine", Namespace: "shop", ResourceVersion: "41"}}
	w.secrets = map[string]*corev1.Secret{"shop/mine": secret}
	w.settle()
	assert.Equal(t, "41", w.topology().Spec.PasswordSecretVersion)
	secret.ResourceVersion = "42"
	w.sync()
	assert.Equal(t, "42", w.topology().Spec.PasswordSecretVersion)
	assert.Equal(t, metav1.ConditionFalse, w.condition(v1alpha1.ConditionReady).Status)
	w.sync()
	assert.Equal(t, metav1.ConditionFalse, w.condition(v1alpha1.ConditionReady).Status)
	w.settle()
	assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionReady).Status)
}

func TestAnUpdateOfKvrocksControllerOrEtcdIsNotReadyBeforeItIsDone(t *testing.T) {
	for name, edit := range map[string]func(*v1alpha1.KVRocks){
		"kvrocks-controller": func(cr *v1alpha1.KVRocks) { cr.Spec.Cluster.Controller.Image = newImage },
		"etcd":               func(cr *v1alpha1.KVRocks) { cr.Spec.Cluster.Etcd.Image = newImage },
	} {
		t.Run(name, func(t *testing.T) {
			cr := example(t, "cluster-full.yaml") // with volumes, so that etcd is not begun again
			w := settled(t, cr)
			w.change(edit)
			w.sync()
			w.sidecar()
			w.sync()
			assert.Equal(t, metav1.ConditionFalse, w.condition(v1alpha1.ConditionReady).Status)
			for _, set := range w.seen.StatefulSets { // its controller has seen it and replaced nothing yet
				set.Status.ObservedGeneration = set.Generation
				if set.Name == etcdName(w.cr.Name) && name == "etcd" {
					set.Status.UpdatedReplicas = 0
				}
			}
			w.kvctl().Status.ObservedGeneration = w.kvctl().Generation
			if name != "etcd" {
				w.kvctl().Status.UpdatedReplicas = 0
			}
			w.sync()
			assert.Equal(t, reasonRollingUpdate, w.condition(v1alpha1.ConditionReady).Reason, w.cr.Status.Reason)
			assert.Contains(t, w.cr.Status.Reason, "of "+name+" are up to date")
			w.settle()
			assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionReady).Status)
		})
	}
}

// TestReadyIsNeverEarly: whatever is changed and in whatever order the others act, Ready of a generation is True only when
// every declared child was observed, the sidecar has reported on the topology, and that topology is of this generation.
func TestReadyIsNeverEarly(t *testing.T) {
	for file, seeds := range map[string]uint64{"standard-minimal.yaml": 6, "sentinel-minimal.yaml": 6, "cluster-minimal.yaml": 1} {
		ready := 0
		if testing.Short() {
			seeds = 1
		}
		for seed := range seeds {
			ready += readyIsNeverEarly(t, seed, file)
		}
		assert.Greater(t, ready, int(seeds), file)
	}
}

// readyIsNeverEarly returns how often the instance was Ready.
func readyIsNeverEarly(t *testing.T, seed uint64, file string) (ready int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // repeatable
	cr := example(t, file)
	if cr.Spec.Cluster != nil || cr.Spec.Type == v1alpha1.TypeCluster {
		cr.Spec.Replicas, cr.Spec.Cluster = 1, &v1alpha1.ClusterSpec{Etcd: v1alpha1.EtcdSpec{Replicas: 1}}
	}
	w := settled(t, cr)
	edits := []func(*v1alpha1.KVRocks){
		func(cr *v1alpha1.KVRocks) { cr.Spec.Image = fmt.Sprintf("registry.example/kvrocks:%d", random.IntN(9)) },
		func(cr *v1alpha1.KVRocks) { cr.Spec.Password = fmt.Sprintf("pw-%d", random.IntN(9)) },
		func(cr *v1alpha1.KVRocks) {
			cr.Spec.Failover = &v1alpha1.Failover{DownAfterMilliseconds: 1000 + random.Int32N(9)}
		},
		func(cr *v1alpha1.KVRocks) {
			if cr.Spec.Type != v1alpha1.TypeSentinel {
				cr.Spec.KVRocksConfig = v1alpha1.KVRocksConfig{"maxclients": v1alpha1.ConfigValue(fmt.Sprint(100 + random.IntN(9)))}
			}
		},
		func(cr *v1alpha1.KVRocks) {
			if cr.Spec.Type == v1alpha1.TypeCluster {
				cr.Spec.Cluster.Rebalance = !cr.Spec.Cluster.Rebalance
			} else {
				cr.Spec.Replicas = 3 + 2*random.Int32N(2)
			}
		},
	}
	actors := []func(){w.controller, w.kubelet, w.deployments, w.sidecar, w.sync, w.sync}
	for range 200 {
		if random.IntN(40) == 0 {
			w.change(edits[random.IntN(len(edits))])
		} else {
			actors[random.IntN(len(actors))]()
		}
		request := w.request()
		response, err := Sync(request)
		require.NoError(t, err)
		c := meta.FindStatusCondition(response.Status.Conditions, v1alpha1.ConditionReady)
		if c.Status != metav1.ConditionTrue {
			continue
		}
		ready++
		topology := w.topology()
		require.Equal(t, w.cr.Generation, c.ObservedGeneration)
		require.Equal(t, w.cr.Generation, topology.Spec.ParentGeneration, "seed %d of %s: Ready before the topology was made", seed, file)
		require.Equal(t, topology.Generation, topology.Status.ObservedGeneration, "seed %d of %s: Ready before the report", seed, file)
		before := w.fingerprintOfChildren()
		w.apply(response)
		require.Equal(t, before, w.fingerprintOfChildren(), "seed %d of %s: Ready while there is something to change", seed, file)
	}
	w.settle()
	require.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, "seed %d of %s: %s", seed, file, w.cr.Status.Reason)
	return ready
}
