package claims

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// claim is a bound one that asks for a size and has a capacity.
func claim(name, asks, has string, edits ...func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
	c.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(asks)}
	c.Status.Phase = corev1.ClaimBound
	if has != "" {
		c.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(has)}
	}
	for _, edit := range edits {
		edit(c)
	}
	return c
}

func waits(kind corev1.PersistentVolumeClaimConditionType, message string) func(*corev1.PersistentVolumeClaim) {
	return func(c *corev1.PersistentVolumeClaim) {
		c.Status.Conditions = append(c.Status.Conditions, corev1.PersistentVolumeClaimCondition{Type: kind, Status: corev1.ConditionTrue, Message: message})
	}
}

func allocated(status corev1.ClaimResourceStatus) func(*corev1.PersistentVolumeClaim) {
	return func(c *corev1.PersistentVolumeClaim) {
		c.Status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{corev1.ResourceStorage: status}
	}
}

func etcd(c *corev1.PersistentVolumeClaim) {
	c.Labels[v1alpha1.LabelComponent] = v1alpha1.ComponentEtcd
}

func unbound(c *corev1.PersistentVolumeClaim) { c.Status.Phase = corev1.ClaimPending }

// input is an instance that wants 20Gi for orders-0 and orders-1.
func input(claims ...*corev1.PersistentVolumeClaim) Input {
	t := &v1alpha1.KVRocksTopology{ObjectMeta: metav1.ObjectMeta{Name: "orders", Generation: 4}}
	t.Spec.Type = v1alpha1.TypeStandard
	t.Spec.Storage = &v1alpha1.TopologyStorage{Size: resource.MustParse("20Gi")}
	t.Spec.Shards = []v1alpha1.TopologyShard{{Replicas: 2, Members: []v1alpha1.Member{{Pod: "orders-0"}, {Pod: "orders-1"}}}}
	in := Input{Now: now, Topology: t, Claims: map[string]*corev1.PersistentVolumeClaim{}}
	for _, c := range claims {
		in.Claims[c.Name] = c
	}
	return in
}

func due(in Input) []string {
	var list []string
	for _, e := range Due(in) {
		list = append(list, e.Claim.Name+" "+e.Size.String())
	}
	return list
}

func TestWhichClaimsAreToAskForMore(t *testing.T) {
	small, large := claim("data-orders-0", "10Gi", "10Gi"), claim("data-orders-1", "20Gi", "10Gi")
	for name, test := range map[string]struct {
		in   func() Input
		want []string
	}{
		"those that ask for less": {func() Input { return input(small, large) }, []string{"data-orders-0 20Gi"}},
		"none that is not bound, which the API server refuses": {func() Input {
			return input(claim("data-orders-0", "10Gi", "", unbound), large)
		}, nil},
		"none whose volume is larger by itself":  {func() Input { return input(claim("data-orders-0", "10Gi", "50Gi"), large) }, nil},
		"none that asks for more than is wanted": {func() Input { return input(claim("data-orders-0", "30Gi", "30Gi"), large) }, nil},
		"none that is being deleted": {func() Input {
			return input(claim("data-orders-0", "10Gi", "10Gi", func(c *corev1.PersistentVolumeClaim) { c.DeletionTimestamp = &metav1.Time{Time: now} }))
		}, nil},
		"none of pods that were scaled away, or go": {func() Input {
			in := input(small, claim("data-orders-1", "10Gi", "10Gi"), claim("data-orders-2", "10Gi", "10Gi"))
			in.Topology.Spec.Shards[0].Handoff = []string{"orders-1"}
			return in
		}, []string{"data-orders-0 20Gi"}},
		"none of a shard that leaves": {func() Input {
			in := input(small)
			in.Topology.Spec.Shards[0].Leaving = true
			return in
		}, nil},
		"etcd's to their own size": {func() Input {
			in := input(large, claim("data-orders-etcd-0", "1Gi", "1Gi", etcd), claim("data-orders-etcd-1", "2Gi", "2Gi", etcd))
			in.Topology.Spec.Storage.EtcdSize = new(resource.MustParse("2Gi"))
			return in
		}, []string{"data-orders-etcd-0 2Gi"}},
		"none that was refused a moment ago": {func() Input {
			in := input(small)
			in.Refusals = map[string]Refusal{"data-orders-0": {Size: resource.MustParse("20Gi"), At: now.Add(-refusalRetry + time.Second)}}
			return in
		}, nil},
		"one that was refused before": {func() Input {
			in := input(small)
			in.Refusals = map[string]Refusal{"data-orders-0": {Size: resource.MustParse("20Gi"), At: now.Add(-refusalRetry)}}
			return in
		}, []string{"data-orders-0 20Gi"}},
		"one that was refused another size": {func() Input {
			in := input(small)
			in.Refusals = map[string]Refusal{"data-orders-0": {Size: resource.MustParse("40Gi"), At: now}}
			return in
		}, []string{"data-orders-0 20Gi"}},
		"none of an instance that is being deleted": {func() Input {
			in := input(small)
			in.Topology.Spec.Release = true
			return in
		}, nil},
		"none of an instance without volumes": {func() Input {
			in := input(small)
			in.Topology.Spec.Storage = nil
			return in
		}, nil},
		"none while claims cannot be read": {func() Input {
			in := input()
			in.Unreadable = true
			return in
		}, nil},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, due(test.in())) })
	}
}

func TestWhatAClaimWaitsFor(t *testing.T) {
	other := claim("data-orders-1", "20Gi", "20Gi")
	refused := func(message string) Input {
		c := claim("data-orders-0", "10Gi", "10Gi")
		c.Spec.StorageClassName = new("slow")
		in := input(c, other)
		in.Refusals = map[string]Refusal{c.Name: {Size: resource.MustParse("20Gi"), Message: message, At: now}}
		return in
	}
	for name, test := range map[string]struct {
		in              Input
		status          metav1.ConditionStatus
		reason, message string
	}{
		"nothing": {input(claim("data-orders-0", "20Gi", "20Gi"), other), metav1.ConditionTrue, ReasonVolumesReady, "every volume has 20Gi or more"},
		"its making": {
			input(other), metav1.ConditionFalse, v1alpha1.ReasonVolumesPending, "data-orders-0: the claim is not made yet",
		},
		"a volume": {
			input(claim("data-orders-0", "10Gi", "", unbound), other), metav1.ConditionFalse, v1alpha1.ReasonVolumesPending,
			"data-orders-0: the claim has no volume yet",
		},
		"the first pass": {
			input(claim("data-orders-0", "10Gi", "10Gi"), other), metav1.ConditionFalse, v1alpha1.ReasonVolumesExpanding,
			"data-orders-0: it is to be expanded from 10Gi to 20Gi",
		},
		"its driver": {
			input(claim("data-orders-0", "20Gi", "10Gi", waits(corev1.PersistentVolumeClaimResizing, "")), other), metav1.ConditionFalse,
			v1alpha1.ReasonVolumesExpanding, "data-orders-0: its driver is to expand it from 10Gi to 20Gi",
		},
		"its node": {
			input(claim("data-orders-0", "20Gi", "10Gi", waits(corev1.PersistentVolumeClaimFileSystemResizePending, "Waiting for user to (re-)start a pod")), other),
			metav1.ConditionFalse, v1alpha1.ReasonResizePending, "data-orders-0: its node is to expand the file system from 10Gi to 20Gi; if that lasts, " +
				"its driver does so only when the volume is mounted: delete the pod, a master hands over first",
		},
		"its node, by the newer field": {
			input(claim("data-orders-0", "20Gi", "10Gi", allocated(corev1.PersistentVolumeClaimNodeResizePending)), other),
			metav1.ConditionFalse, v1alpha1.ReasonResizePending, "data-orders-0: its node is to expand",
		},
		"a driver that fails": {
			input(claim("data-orders-0", "20Gi", "10Gi", waits(corev1.PersistentVolumeClaimControllerResizeError, "disk is busy.\n")), other),
			metav1.ConditionFalse, ReasonExpansionFailed, "data-orders-0: its driver does not expand it from 10Gi to 20Gi: disk is busy",
		},
		"a size that no driver can give": {
			input(claim("data-orders-0", "20Gi", "10Gi", allocated(corev1.PersistentVolumeClaimControllerResizeInfeasible)), other),
			metav1.ConditionFalse, ReasonExpansionFailed, "the driver calls it infeasible",
		},
		"a class that expands nothing": {
			refused(`persistentvolumeclaims "data-orders-0" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize`),
			metav1.ConditionFalse, ReasonExpansionUnsupported, "data-orders-0: it has 10Gi, and 20Gi is refused: the StorageClass slow does not expand volumes; " +
				"set allowVolumeExpansion there if its driver can, or write the former size again",
		},
		"a quota": {
			refused(`persistentvolumeclaims "data-orders-0" is forbidden: exceeded quota: team, requested: requests.storage=10Gi, used: requests.storage=30Gi, limited: requests.storage=35Gi`),
			metav1.ConditionFalse, ReasonQuotaExceeded, "data-orders-0: it has 10Gi, and 20Gi is refused: exceeded quota: team, requested: requests.storage=10Gi, " +
				"used: requests.storage=30Gi, limited: requests.storage=35Gi; raise the quota, or write a size that fits",
		},
		"something else": {
			refused(`admission webhook "sizes.example.org" denied the request: ask the storage team`), metav1.ConditionFalse, ReasonExpansionRefused,
			`data-orders-0: it has 10Gi, and 20Gi is refused: admission webhook "sizes.example.org" denied the request: ask the storage team`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := Judge(test.in)
			assert.Equal(t, test.status, r.Condition.Status)
			assert.Equal(t, test.reason, r.Condition.Reason)
			assert.Contains(t, r.Condition.Message, test.message)
			assert.EqualValues(t, 4, r.Condition.ObservedGeneration)
			assert.Equal(t, "20Gi", r.Volumes.Data.String())
		})
	}
}

func TestClaimsThatWaitForTheSameAreToldTogether(t *testing.T) {
	in := input()
	in.Topology.Spec.Shards[0].Members = nil
	for n := range strings.SplitSeq("0123456", "") {
		in.Topology.Spec.Shards[0].Members = append(in.Topology.Spec.Shards[0].Members, v1alpha1.Member{Pod: "orders-" + n})
		in.Claims["data-orders-"+n] = claim("data-orders-"+n, "20Gi", "10Gi")
	}
	in.Claims["data-orders-3"] = claim("data-orders-3", "20Gi", "10Gi", waits(corev1.PersistentVolumeClaimNodeResizeError, "no"))
	r := Judge(in)
	assert.Equal(t, ReasonExpansionFailed, r.Condition.Reason, "what needs a person comes first")
	assert.Equal(t, "data-orders-3: its driver does not expand it from 10Gi to 20Gi: no; "+
		"data-orders-0, data-orders-1, data-orders-2, data-orders-4 and 2 more: its driver is to expand it from 10Gi to 20Gi", r.Condition.Message)
}

func TestClaimsThatTheSidecarDoesNotSee(t *testing.T) {
	in := input(claim("data-orders-1", "20Gi", "20Gi"))
	in.Pods = map[string]*corev1.Pod{"orders-0": {}}
	r := Judge(in)
	assert.Equal(t, metav1.ConditionUnknown, r.Condition.Status)
	assert.Equal(t, ReasonClaimsUnlabelled, r.Condition.Reason)
	assert.Contains(t, r.Condition.Message, "data-orders-0: the sidecar does not see the claim, which lacks the labels app.kubernetes.io/managed-by=kvrocks-operator")

	in.Unreadable, in.Topology.Status.Volumes = true, &v1alpha1.VolumeSizes{Data: new(resource.MustParse("7Gi"))}
	r = Judge(in)
	assert.Equal(t, metav1.ConditionUnknown, r.Condition.Status)
	assert.Equal(t, ReasonClaimsUnreadable, r.Condition.Reason)
	assert.Equal(t, "7Gi", r.Volumes.Data.String(), "what was known stays")
	assert.Empty(t, r.Events)
}

func TestTheSizesThatClaimsAskFor(t *testing.T) {
	in := input(claim("data-orders-0", "10Gi", "10Gi"), claim("data-orders-1", "30Gi", "10Gi"), claim("data-orders-etcd-0", "1Gi", "1Gi", etcd))
	in.Topology.Spec.Storage.EtcdSize = new(resource.MustParse("1Gi"))
	r := Judge(in)
	assert.Equal(t, "30Gi", r.Volumes.Data.String())
	assert.Equal(t, "1Gi", r.Volumes.Etcd.String())
	assert.Nil(t, Judge(input()).Volumes)
	none := input()
	none.Topology.Spec.Storage = nil
	assert.Equal(t, Report{}, Judge(none))
}

// An expansion from its beginning to its end, by what is reported of it.
func TestEventsOfAnExpansion(t *testing.T) {
	in := input(claim("data-orders-0", "10Gi", "10Gi"), claim("data-orders-1", "20Gi", "20Gi"))
	var told []string
	pass := func(c *corev1.PersistentVolumeClaim) *metav1.Condition {
		in.Claims[c.Name], in.Now = c, in.Now.Add(time.Minute)
		r := Judge(in)
		in.Topology.Status.Conditions = []metav1.Condition{*r.Condition}
		for _, e := range r.Events {
			told = append(told, e.Reason)
		}
		return r.Condition
	}
	in.Refusals = map[string]Refusal{"data-orders-0": {Size: resource.MustParse("20Gi"), Message: "exceeded quota: team", At: now}}
	first := pass(claim("data-orders-0", "10Gi", "10Gi"))
	again := pass(claim("data-orders-0", "10Gi", "10Gi"))
	assert.Equal(t, first, again, "nothing has changed")
	pass(claim("data-orders-0", "20Gi", "10Gi"))
	pass(claim("data-orders-0", "20Gi", "10Gi", waits(corev1.PersistentVolumeClaimFileSystemResizePending, "")))
	last := pass(claim("data-orders-0", "20Gi", "20Gi"))
	pass(claim("data-orders-0", "20Gi", "20Gi"))
	assert.Equal(t, []string{"QuotaExceeded", "VolumeExpansionStarted", "VolumeExpanded"}, told)
	assert.True(t, first.LastTransitionTime.Before(&last.LastTransitionTime))
}

func TestWhatIsReportedStaysWhileTheInstanceIsDeleted(t *testing.T) {
	in := input(claim("data-orders-0", "10Gi", "10Gi"))
	before := Judge(in)
	in.Topology.Status.Conditions, in.Topology.Status.Volumes = []metav1.Condition{*before.Condition}, before.Volumes
	in.Topology.Spec.Release, in.Claims = true, nil
	r := Judge(in)
	require.NotNil(t, r.Condition)
	assert.Equal(t, before.Condition, r.Condition)
	assert.Equal(t, before.Volumes, r.Volumes)
	assert.Empty(t, r.Events)
}

func TestLongMessagesAreShortened(t *testing.T) {
	assert.Equal(t, "a b", shortened("a \n b."))
	assert.LessOrEqual(t, len(shortened(strings.Repeat("ä", 400))), longest+len(" …"))
}
