package claims

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Reasons of StorageReady, beside those in the API for volumes that are on their way.
const (
	// ReasonVolumesReady: every volume has the wanted size.
	ReasonVolumesReady = "VolumesReady"
	// ReasonExpansionUnsupported: the class of a volume does not allow it to be expanded.
	ReasonExpansionUnsupported = "ExpansionUnsupported"
	// ReasonQuotaExceeded: a ResourceQuota refuses the size.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonExpansionRefused: the API server refuses the expansion for another reason, such as a webhook or a missing right.
	ReasonExpansionRefused = "ExpansionRefused"
	// ReasonExpansionFailed: the storage driver tried, and failed.
	ReasonExpansionFailed = "ExpansionFailed"
	// ReasonClaimsUnlabelled: a claim that was made by hand, or by another operator, does not carry the labels by which the sidecar sees it.
	ReasonClaimsUnlabelled = "ClaimsUnlabelled"
	// ReasonClaimsUnreadable: the sidecar cannot see claims.
	ReasonClaimsUnreadable = "ClaimsUnreadable"
)

// byUrgency is the order in which reasons are told: what needs a person comes first.
var byUrgency = [...]string{
	ReasonExpansionUnsupported, ReasonQuotaExceeded, ReasonExpansionRefused, ReasonExpansionFailed,
	v1alpha1.ReasonResizePending, v1alpha1.ReasonVolumesExpanding, v1alpha1.ReasonVolumesPending, ReasonClaimsUnlabelled,
}

// state is what a volume waits for; the zero value when it has the wanted size.
type state struct{ reason, text string }

// state returns what the volume waits for. The text names neither claim nor pod, so that claims which wait for the same are told together.
func (v *volume) state() state {
	switch {
	case v.hidden:
		return state{ReasonClaimsUnlabelled, "the sidecar does not see the claim, which lacks the labels " +
			v1alpha1.LabelManagedBy + "=" + v1alpha1.ManagedByValue + " and " + v1alpha1.LabelKVRocks + " with the name of the instance; add them with kubectl label pvc"}
	case v.claim == nil:
		return state{v1alpha1.ReasonVolumesPending, "the claim is not made yet"}
	case v.claim.DeletionTimestamp != nil:
		return state{v1alpha1.ReasonVolumesPending, "the claim is being deleted"}
	case v.claim.Status.Phase == corev1.ClaimLost:
		return state{v1alpha1.ReasonVolumesPending, "its volume is lost; delete the claim and its pod, which comes back empty"}
	case !v.bound():
		return state{v1alpha1.ReasonVolumesPending, "the claim has no volume yet"}
	case v.capacity().Cmp(v.size) >= 0:
		return state{}
	case v.requested().Cmp(v.size) < 0 && v.refusal != nil:
		return v.refused()
	}
	return v.resizing()
}

// refused returns why the API server does not let the claim ask for more.
func (v *volume) refused() state {
	message := v.refusal.Message
	for _, prefix := range []string{" is forbidden: ", " is invalid: "} {
		if _, after, ok := strings.Cut(message, prefix); ok {
			message = after // without the name of the claim
		}
	}
	want := fmt.Sprintf("it has %s, and %s is refused: ", v.capacity(), &v.size)
	switch {
	case strings.Contains(message, "must support resize"):
		class := "its class"
		if name := v.claim.Spec.StorageClassName; name != nil {
			class = "the StorageClass " + *name
		}
		return state{ReasonExpansionUnsupported, want + class + " does not expand volumes; set allowVolumeExpansion there if its driver can, or write the former size again"}
	case strings.Contains(message, "exceeded quota"):
		return state{ReasonQuotaExceeded, want + shortened(message) + "; raise the quota, or write a size that fits"}
	}
	return state{ReasonExpansionRefused, want + shortened(message)}
}

// resizing returns how far an expansion is.
func (v *volume) resizing() state {
	from := fmt.Sprintf("from %s to %s", v.capacity(), &v.size)
	var failure string
	pending := false
	for _, c := range v.claim.Status.Conditions {
		switch {
		case c.Status != corev1.ConditionTrue:
		case c.Type == corev1.PersistentVolumeClaimControllerResizeError, c.Type == corev1.PersistentVolumeClaimNodeResizeError:
			failure = c.Message
		case c.Type == corev1.PersistentVolumeClaimFileSystemResizePending:
			pending = true
		}
	}
	at := v.claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage]
	infeasible := at == corev1.PersistentVolumeClaimControllerResizeInfeasible || at == corev1.PersistentVolumeClaimNodeResizeInfeasible
	if infeasible && failure == "" {
		failure = "the driver calls it infeasible"
	}
	pending = pending || at == corev1.PersistentVolumeClaimNodeResizePending
	switch {
	case failure != "":
		return state{ReasonExpansionFailed, "its driver does not expand it " + from + ": " + shortened(failure)}
	case pending:
		return state{v1alpha1.ReasonResizePending, "its node is to expand the file system " + from +
			"; if that lasts, its driver does so only when the volume is mounted: delete the pod, a master hands over first"}
	case v.requested().Cmp(v.size) < 0:
		return state{v1alpha1.ReasonVolumesExpanding, "it is to be expanded " + from}
	}
	return state{v1alpha1.ReasonVolumesExpanding, "its driver is to expand it " + from}
}

// longest is how much of a message of others is passed on, in bytes.
const longest = 300

func shortened(message string) string {
	message = strings.TrimRight(strings.Join(strings.Fields(message), " "), ".")
	if len(message) <= longest {
		return message
	}
	return strings.ToValidUTF8(message[:longest], "") + " …"
}
