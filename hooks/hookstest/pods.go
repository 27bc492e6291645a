package hookstest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// What Kubernetes' controllers think of pods. Nothing here asks the hooks: what they get wrong would be wrong here as well.

// SetOf returns the StatefulSet of a pod, by its name.
func SetOf(pod string) string { return pod[:strings.LastIndexByte(pod, '-')] }

// Replicas returns how many pods a StatefulSet asks for.
func Replicas(set *appsv1.StatefulSet) int32 {
	if set.Spec.Replicas == nil {
		return 1 // the default of the API
	}
	return *set.Spec.Replicas
}

// Revision returns the name that Kubernetes gives to what the template of a StatefulSet says.
func Revision(t testing.TB, set *appsv1.StatefulSet) string {
	t.Helper()
	raw, err := json.Marshal(set.Spec.Template)
	require.NoError(t, err)
	sum := sha256.Sum256(raw)
	return set.Name + "-" + hex.EncodeToString(sum[:8])
}

// Ready reports whether a pod is there, is to stay, and counts as ready.
func Ready(pod *corev1.Pod) bool {
	if pod == nil || pod.DeletionTimestamp != nil {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
