package hooks

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// declaration identifies what was declared of a child. The API server fills in defaults and others may add to an object, so
// that an observed object cannot be compared with a declared one. Each child therefore carries the hash of its declaration as
// an annotation: an observed child whose hash is that of the present declaration is as declared.
type declaration struct{ kind, name, hash string }

// hashPlaceholder has the length of a hash and stands in its place while the hash is computed.
const hashPlaceholder = "################"

// encodeWithHash encodes an object with the hash of its declaration. What a Secret holds is left out of the hash, from which
// it could be guessed; its annotationPassword tells one content from another.
func encodeWithHash(object child) (raw []byte, declared string, err error) {
	annotations := maps.Clone(object.Metadata.Annotations)
	if annotations == nil {
		annotations = make(map[string]string, 1)
	}
	annotations[annotationDeclared] = hashPlaceholder
	object.Metadata.Annotations = annotations
	if raw, err = marshal(object); err != nil {
		return nil, "", err
	}
	hashed := raw
	if object.Kind == "Secret" {
		object.Data = nil
		if hashed, err = marshal(object); err != nil {
			return nil, "", err
		}
	}
	declared = hash(hashed)
	return bytes.Replace(raw, []byte(`"`+annotationDeclared+`":"`+hashPlaceholder), []byte(`"`+annotationDeclared+`":"`+declared), 1), declared, nil
}

// hash returns the hash of some bytes, short enough for an annotation and long enough never to collide by accident.
func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// pendingChange returns a step that waits for what of the declared children is not observed yet, or not taken up by the controller that acts on it,
// unless the step waits for something else already. Until all of it is, nothing observed says anything of the present
// generation.
func (in statusBuilder) pendingChange(now step, out *children) step {
	if now.pending {
		return now
	}
	for _, d := range out.declared {
		switch observed := in.observed(d.kind, d.name); {
		case observed == nil:
			return now.wait(reasonApplying, "waiting for the %s %s to be made; if that lasts, look at the events of this KVRocks", d.kind, d.name)
		case observed.GetAnnotations()[annotationDeclared] != d.hash:
			return now.wait(reasonApplying, "waiting for the change of the %s %s to be applied; if that lasts, look at the events of this KVRocks", d.kind, d.name)
		case !generationObserved(observed):
			return now.wait(reasonApplying, "waiting for Kubernetes to act on the change of the %s %s", d.kind, d.name)
		}
	}
	return now
}

// generationObserved reports whether the status of an observed workload is about its present spec.
func generationObserved(observed metav1.Object) bool {
	switch workload := observed.(type) {
	case *appsv1.StatefulSet:
		return workload.Status.ObservedGeneration >= workload.Generation
	case *appsv1.Deployment:
		return workload.Status.ObservedGeneration >= workload.Generation
	}
	return true
}

// observed returns the observed child of a kind and name; nil when there is none.
func (in statusBuilder) observed(kind, name string) metav1.Object {
	key := in.key(name)
	switch kind {
	case "ConfigMap":
		return orNil(in.children.ConfigMaps[key])
	case "Secret":
		return orNil(in.children.Secrets[key])
	case "Service":
		return orNil(in.children.Services[key])
	case "StatefulSet":
		return orNil(in.children.StatefulSets[key])
	case "Deployment":
		return orNil(in.children.Deployments[key])
	case "PodDisruptionBudget":
		return orNil(in.children.PodDisruptionBudgets[key])
	case "NetworkPolicy":
		return orNil(in.children.NetworkPolicies[key])
	case "KVRocksTopology":
		return orNil(in.topology)
	}
	return nil
}

// orNil keeps a nil pointer from becoming an interface that is not nil.
func orNil[P interface {
	metav1.Object
	comparable
}](object P) metav1.Object {
	var none P
	if object == none {
		return nil
	}
	return object
}

// deploymentStep returns a step that waits for what keeps a Deployment from running the wanted number of pods with its present template.
func (in statusBuilder) deploymentStep(name, component, pods string, wanted int32) step {
	var now step
	deployment := in.children.Deployments[in.key(name)]
	if deployment == nil {
		return now.wait(reasonCreating, "waiting for the Deployment %s", name)
	}
	switch seen := deployment.Status; {
	case seen.ObservedGeneration < deployment.Generation || seen.UpdatedReplicas < wanted || seen.Replicas > wanted:
		return now.wait(reasonRollingUpdate, "%d of %d %s are up to date", min(seen.UpdatedReplicas, wanted), wanted, pods)
	case seen.ReadyReplicas < wanted:
		now.reason, now.message = reasonPodsNotReady, in.whyPodsNotReady(component)
	}
	return now
}
