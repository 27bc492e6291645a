package claim

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Verdict is what to do with an object.
type Verdict int

// The verdicts.
const (
	Ignore  Verdict = iota // not ours
	Keep                   // ours already
	Adopt                  // an orphan that matches: add the parent's reference
	Release                // ours, but it no longer matches: remove the reference
)

// Decide judges one object of a child kind, in the parent's namespace. A parent
// that is being deleted takes and gives nothing: it keeps what it owns and still
// matches.
func Decide(parent, object metav1.Object, selector labels.Selector) Verdict {
	matches := selector.Matches(labels.Set(object.GetLabels()))
	parentGoes := parent.GetDeletionTimestamp() != nil

	if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
		switch {
		case owner.UID != parent.GetUID():
			return Ignore
		case matches:
			return Keep
		case parentGoes:
			return Ignore
		default:
			return Release
		}
	}
	if matches && !parentGoes && object.GetDeletionTimestamp() == nil {
		return Adopt
	}
	return Ignore
}
