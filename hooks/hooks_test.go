package hooks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

func TestRequestsThatNoHookCanAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		request *metacontroller.SyncRequest
		want    error
	}{
		"none":              {nil, ErrNoParent},
		"no parent":         {&metacontroller.SyncRequest{}, ErrNoParent},
		"a nameless parent": {&metacontroller.SyncRequest{Parent: &v1alpha1.KVRocks{}}, ErrNoParent},
		"no type":           {&metacontroller.SyncRequest{Parent: bare("")}, UnknownTypeError{}},
		"an unknown type":   {&metacontroller.SyncRequest{Parent: bare("galaxy")}, UnknownTypeError{Type: "galaxy"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Sync(c.request)
			require.ErrorIs(t, err, c.want)
			_, err = Finalize(c.request)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func bare(kind v1alpha1.InstanceType) *v1alpha1.KVRocks {
	cr := &v1alpha1.KVRocks{Spec: v1alpha1.KVRocksSpec{Type: kind}}
	cr.Name, cr.Namespace = "demo", "shop"
	return cr
}

func TestCustomizeSelectsThePodsOfTheInstanceAndDependsOnItsNameAlone(t *testing.T) {
	cr := bare(v1alpha1.TypeStandard)
	response, err := Customize(&metacontroller.CustomizeRequest{Parent: cr})
	require.NoError(t, err)
	require.Len(t, response.RelatedResources, 1)
	rule := response.RelatedResources[0]
	assert.Equal(t, "v1", rule.APIVersion)
	assert.Equal(t, "pods", rule.Resource)
	assert.Equal(t, "shop", rule.Namespace)
	assert.Equal(t, "demo", rule.LabelSelector.MatchLabels[v1alpha1.LabelInstance])

	cr.Spec = v1alpha1.KVRocksSpec{Type: "nonsense"}
	again, err := Customize(&metacontroller.CustomizeRequest{Parent: cr})
	require.NoError(t, err)
	assert.Equal(t, response, again)

	_, err = Customize(&metacontroller.CustomizeRequest{})
	require.ErrorIs(t, err, ErrNoParent)
}

func TestDeletionWaitsForTheSidecarAndThenForThePods(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	before := w.set().Annotations[lastApplied]
	w.change(func(cr *v1alpha1.KVRocks) { // an edit that comes with the deletion is not carried out
		cr.Spec.Image, cr.Spec.Replicas = newImage, 1
		cr.DeletionTimestamp = cr.CreationTimestamp.DeepCopy()
	})
	finalize := func() *metacontroller.FinalizeResponse { return finalizing(w).(*metacontroller.FinalizeResponse) }

	response := finalize()
	assert.False(t, response.Finalized, "the request for release was not even sent")
	w.apply(&response.SyncResponse)
	assert.Equal(t, before, w.set().Annotations[lastApplied])
	assert.True(t, w.topology().Spec.Release)
	assert.Equal(t, v1alpha1.PhaseDeleting, w.cr.Status.Phase)

	w.topology().Status.Released = true
	assert.False(t, finalize().Finalized, "the report is about an earlier topology")

	w.sidecar()
	response = finalize()
	assert.False(t, response.Finalized, "its pods are there")
	w.apply(&response.SyncResponse)
	assert.Empty(t, w.seen.StatefulSets)
	assert.NotEmpty(t, w.seen.Services)
	assert.True(t, released(w.topology()), "it stays, or the release would be forgotten")

	response = finalize()
	assert.False(t, response.Finalized, "their StatefulSet is gone, they are not")
	w.apply(&response.SyncResponse)
	assert.Contains(t, w.cr.Status.Reason, "waiting for 3 pods to end, demo-0 among them")

	clear(w.pods)
	assert.True(t, finalize().Finalized)
}

func TestAnInstanceThatNeverHadATopologyIsDeletedAtOnce(t *testing.T) {
	response, err := Finalize(&metacontroller.SyncRequest{Parent: bare(v1alpha1.TypeStandard), Finalizing: true})
	require.NoError(t, err)
	assert.True(t, response.Finalized)
}

func TestChildrenThatAnotherApplyStrategyMadeAreKeptAsTheyAre(t *testing.T) {
	w := settled(t, example(t, "standard-full.yaml"))
	for _, set := range w.seen.StatefulSets {
		delete(set.Annotations, lastApplied)
	}
	before := w.set().Spec.DeepCopy()
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Replicas = -1 })
	w.sync()
	assert.Equal(t, *before, w.set().Spec)
}

func TestEveryConditionThatAppliesIsThereFromTheFirstSync(t *testing.T) {
	for file, kinds := range map[string][]string{
		"standard-minimal.yaml": {
			v1alpha1.ConditionReady, v1alpha1.ConditionProgressing, v1alpha1.ConditionDegraded,
			v1alpha1.ConditionPrimaryAvailable, v1alpha1.ConditionReplicationHealthy, v1alpha1.ConditionStorageHealthy,
			v1alpha1.ConditionSentinelAgreed, v1alpha1.ConditionConfigApplied, v1alpha1.ConditionCredentialsApplied,
		},
		"sentinel-minimal.yaml": {
			v1alpha1.ConditionReady, v1alpha1.ConditionProgressing, v1alpha1.ConditionDegraded,
			v1alpha1.ConditionSentinelAgreed, v1alpha1.ConditionCredentialsApplied,
		},
	} {
		t.Run(file, func(t *testing.T) {
			w := newWorld(t, example(t, file))
			w.sync()
			var got []string
			for _, condition := range w.cr.Status.Conditions {
				got = append(got, condition.Type)
				assert.NotEmpty(t, condition.Reason, condition.Type)
				assert.False(t, condition.LastTransitionTime.IsZero(), condition.Type)
				assert.Equal(t, w.cr.Generation, condition.ObservedGeneration, condition.Type)
			}
			assert.ElementsMatch(t, kinds, got)
		})
	}
}

func TestAMissingSentinelIsSaidAndKeepsNothingFromWorking(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	agreed := meta.FindStatusCondition(w.topology().Status.Conditions, v1alpha1.ConditionSentinelAgreed)
	agreed.Status, agreed.Reason, agreed.Message = "False", reasonSentinelNotFound, "there is no KVRocks sentinel"
	w.sync()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
	assert.Equal(t, "there is no KVRocks sentinel", w.cr.Status.Reason)
	degraded := meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionDegraded)
	assert.Equal(t, reasonSentinelNotFound, degraded.Reason)
}

func TestTheStatusIgnoresNoise(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	for i := range w.topology().Status.Shards[0].Nodes {
		node := &w.topology().Status.Shards[0].Nodes[i]
		node.Sequence, node.Lag = 12345, 7
	}
	assert.False(t, w.changes(w.sync))
	w.topology().Status.Shards[0].Nodes[2].Lag = minShownLag
	assert.True(t, w.changes(w.sync), "a lag of concern is shown")
}

func TestPasswordsAppearInTheSecretAlone(t *testing.T) {
	const first, second = "s3cret-one", "s3cret-two"
	w := newWorld(t, example(t, "standard-minimal.yaml"))
	w.cr.Spec.Password = first
	w.settle()
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Password = second })
	hash := w.set().Spec.Template.Annotations[annotationTemplate]
	w.settle()
	for _, raw := range w.last.Children {
		var head struct{ Kind string }
		require.NoError(t, json.Unmarshal(raw, &head))
		assert.NotContains(t, string(raw), first, head.Kind)
		assert.NotContains(t, string(raw), second, head.Kind)
	}
	status, err := json.Marshal(w.cr.Status)
	require.NoError(t, err)
	assert.NotContains(t, string(status), "s3cret")
	secret := w.seen.Secrets["shop/demo-auth"]
	assert.Equal(t, second, string(secret.Data[v1alpha1.PasswordKey]))
	assert.Equal(t, first, string(secret.Data[v1alpha1.PreviousPasswordKey]))
	assert.Equal(t, hash, w.set().Spec.Template.Annotations[annotationTemplate], "the sidecar applies it live; nothing restarts")
}

// FuzzSync throws anything at the hooks: they may refuse, but not panic, and what they answer is valid.
func FuzzSync(f *testing.F) {
	files, err := filepath.Glob("testdata/s*/*/request.json") // those of clusters are too long to be changed at random
	require.NoError(f, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(raw)
	}
	for _, raw := range smallClusters(f) {
		f.Add(raw)
	}
	f.Add([]byte(`{"parent":{"metadata":{"name":"a","namespace":"b"},"spec":{"type":"standard"}},
		"children":{"Service.v1":{"b/a-0":null,"b/a-99999999999":{},"b/a-5":{}},"StatefulSet.apps/v1":{"b/a":{"spec":{"replicas":2000000000}}},
		"KVRocksTopology.kvrocks.apache.org/v1alpha1":{"b/a":{}}},"related":{"Pod.v1":{"b/a-0":null}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		request := new(metacontroller.SyncRequest)
		if json.Unmarshal(raw, request) != nil {
			return
		}
		if response, err := Sync(request); err == nil {
			_, err = json.Marshal(response)
			require.NoError(t, err)
		}
		if response, err := Finalize(request); err == nil {
			_, err = json.Marshal(response)
			require.NoError(t, err)
		}
	})
}

// smallClusters are requests of a cluster with one pod per shard, at rest and about to lose a shard, without the notes of
// Metacontroller.
func smallClusters(t testing.TB) [][]byte {
	t.Helper()
	cr := example(t, "cluster-minimal.yaml")
	cr.Spec.Replicas, cr.Spec.Cluster = 1, &v1alpha1.ClusterSpec{Etcd: v1alpha1.EtcdSpec{Replicas: 1}}
	w := settled(t, cr)
	raw := func() []byte {
		var request map[string]any
		require.NoError(t, json.Unmarshal([]byte(w.fingerprint()), &request))
		for _, objects := range request["children"].(map[string]any) {
			for _, object := range objects.(map[string]any) {
				delete(object.(map[string]any)["metadata"].(map[string]any), "annotations")
			}
		}
		compact, err := json.Marshal(request)
		require.NoError(t, err)
		return compact
	}
	atRest := raw()
	w.setShards(5)
	w.settle()
	w.slots[4] = "7"
	w.sidecar()
	w.setShards(3)
	w.sync()
	w.sidecar()
	return [][]byte{atRest, raw()}
}

func TestASyncAllocatesLittle(t *testing.T) {
	request := settled(t, example(t, "standard-full.yaml")).request()
	allocations := testing.AllocsPerRun(20, func() { _, _ = Sync(request) })
	most := 1000.0
	if raceEnabled {
		most *= 1.1 // what -race adds
	}
	assert.LessOrEqual(t, allocations, most, "see BenchmarkSync3")
}

// BenchmarkSync3 is the sync of a settled instance of three pods; its children are encoded, its status is not.
func BenchmarkSync3(b *testing.B) {
	request := settled(b, example(b, "standard-full.yaml")).request()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Sync(request); err != nil {
			b.Fatal(err)
		}
	}
}
