package claim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/claim"
)

func TestDecide(t *testing.T) {
	yes, no := true, false
	now := metav1.NewTime(time.Unix(1, 0))
	ownedBy := func(uid types.UID, controller *bool) []metav1.OwnerReference {
		return []metav1.OwnerReference{{UID: uid, Controller: controller}}
	}
	matching := map[string]string{"l": "1"}

	for name, c := range map[string]struct {
		object     metav1.ObjectMeta
		parentGoes bool
		want       claim.Verdict
	}{
		"ours and matching":                     {metav1.ObjectMeta{OwnerReferences: ownedBy("u", &yes), Labels: matching}, false, claim.Keep},
		"ours and matching, going":              {metav1.ObjectMeta{OwnerReferences: ownedBy("u", &yes), Labels: matching, DeletionTimestamp: &now}, false, claim.Keep},
		"ours and matching, parent going":       {metav1.ObjectMeta{OwnerReferences: ownedBy("u", &yes), Labels: matching}, true, claim.Keep},
		"ours and no longer matching":           {metav1.ObjectMeta{OwnerReferences: ownedBy("u", &yes)}, false, claim.Release},
		"ours, not matching, parent going":      {metav1.ObjectMeta{OwnerReferences: ownedBy("u", &yes)}, true, claim.Ignore},
		"another's and matching":                {metav1.ObjectMeta{OwnerReferences: ownedBy("other", &yes), Labels: matching}, false, claim.Ignore},
		"orphan and matching":                   {metav1.ObjectMeta{Labels: matching}, false, claim.Adopt},
		"owned without controller and matching": {metav1.ObjectMeta{OwnerReferences: ownedBy("other", &no), Labels: matching}, false, claim.Adopt},
		"orphan and not matching":               {metav1.ObjectMeta{Labels: map[string]string{"l": "2"}}, false, claim.Ignore},
		"orphan, matching, going":               {metav1.ObjectMeta{Labels: matching, DeletionTimestamp: &now}, false, claim.Ignore},
		"orphan, matching, parent going":        {metav1.ObjectMeta{Labels: matching}, true, claim.Ignore},
	} {
		t.Run(name, func(t *testing.T) {
			parent := &metav1.ObjectMeta{UID: "u"}
			if c.parentGoes {
				parent.DeletionTimestamp = &now
			}
			assert.Equal(t, c.want, claim.Decide(parent, &c.object, labels.SelectorFromSet(matching)))
		})
	}
}
