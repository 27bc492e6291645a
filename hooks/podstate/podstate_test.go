package podstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWhatKeepsAPodFromServingIsSaidInTheWordsOfKubernetes(t *testing.T) {
	waiting := func(reason, message string) corev1.PodStatus {
		return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: "kvrocks", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
		}}}
	}
	ended := func(status corev1.PodStatus, reason string, code int32) corev1.PodStatus {
		status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code}
		return status
	}
	condition := func(kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) corev1.PodStatus {
		return corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: kind, Status: status, Reason: reason, Message: message}}}
	}
	running := corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
		Name: "kvrocks", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
	}}}
	for name, c := range map[string]struct {
		status   corev1.PodStatus
		deleting bool
		want     string
	}{
		"unschedulable": {
			status: condition(corev1.PodScheduled, corev1.ConditionFalse, corev1.PodReasonUnschedulable, "0/3 nodes are available: 3 Insufficient memory."),
			want:   "the pod demo-0 cannot start: Unschedulable: 0/3 nodes are available: 3 Insufficient memory.",
		},
		"its image": {
			status: waiting("ErrImagePull", "rpc error 17"),
			want:   "the pod demo-0 cannot start: ImagePullBackOff: the image example.org/kvrocks:1 cannot be pulled",
		},
		"its image, a moment later": {
			status: waiting("ImagePullBackOff", "Back-off 18"),
			want:   "the pod demo-0 cannot start: ImagePullBackOff: the image example.org/kvrocks:1 cannot be pulled",
		},
		"a Secret that is missing": {
			status: waiting("CreateContainerConfigError", `secret "auth" not found`),
			want:   `the pod demo-0 cannot start: CreateContainerConfigError: secret "auth" not found`,
		},
		"it ends again and again": {
			status: ended(waiting(ReasonCrashLoop, "back-off 40s"), "Error", 3),
			want:   "the pod demo-0 cannot start: CrashLoopBackOff: its container kvrocks ends with Error, exit code 3",
		},
		"memory": {
			status: ended(waiting(ReasonCrashLoop, "back-off 40s"), "OOMKilled", 137),
			want:   "the container kvrocks of the pod demo-0 was OOMKilled: it needed more than its memory limit of 512Mi",
		},
		"memory, and it runs again": {
			status: ended(*running.DeepCopy(), "OOMKilled", 137),
			want:   "the container kvrocks of the pod demo-0 was OOMKilled: it needed more than its memory limit of 512Mi",
		},
		"evicted by the kubelet": {
			status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "The node was low on resource: memory."},
			want:   "the pod demo-0 has ended: Evicted: The node was low on resource: memory.",
		},
		"evicted by a drain": {
			status:   condition(corev1.DisruptionTarget, corev1.ConditionTrue, "EvictionByEvictionAPI", ""),
			deleting: true,
			want:     "the pod demo-0 is being removed: EvictionByEvictionAPI",
		},
		"nothing": {status: running, want: "waiting for the pod demo-0 to be ready"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "demo-0"}, Status: c.status}
			pod.Spec.Containers = []corev1.Container{{Name: "kvrocks", Image: "example.org/kvrocks:1", Resources: corev1.ResourceRequirements{
				Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")},
			}}}
			if c.deleting {
				pod.DeletionTimestamp = &metav1.Time{}
			}
			assert.Equal(t, c.want, NotReady(pod))
		})
	}
}
