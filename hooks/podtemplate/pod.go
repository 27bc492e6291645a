package podtemplate

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// podFields returns the fields of a pod's spec that a podTemplate may have.
func podFields() []string {
	return []string{
		"automountServiceAccountToken", "containers", "dnsConfig", "dnsPolicy", "hostAliases", "hostUsers", "initContainers",
		"runtimeClassName", "schedulerName", "securityContext", "serviceAccountName", "shareProcessNamespace",
		"terminationGracePeriodSeconds", "volumes",
	}
}

func (c *checker) checkPodFields() {
	spec := under(c.fields, "spec")
	for _, field := range others(spec, podFields()) {
		c.refuse("spec."+field, "%s", c.insteadOfPodField(field))
	}
	least := c.Template.Spec.TerminationGracePeriodSeconds
	if seconds := c.given.Spec.TerminationGracePeriodSeconds; seconds != nil && least != nil && *seconds < *least {
		c.refuse("spec.terminationGracePeriodSeconds", "is %d, and the operator needs %d to end a pod in order; write at least %d, or leave it out", *seconds, *least, *least)
	}
	if name := c.given.Spec.ServiceAccountName; name != "" && len(validation.IsDNS1123Subdomain(name)) > 0 {
		c.refuse("spec.serviceAccountName", "is %q; write the name of a ServiceAccount of the same namespace", name)
	}
}

// insteadOfPodField says what to write in the place of a field that a podTemplate must not have.
func (c *checker) insteadOfPodField(field string) string {
	switch field {
	case "affinity", "nodeSelector", "priorityClassName", "resources", "tolerations", "topologySpreadConstraints":
		return "has a field of its own; write " + c.component() + "." + field
	case "imagePullSecrets":
		return "has a field of its own; write spec.imagePullSecrets"
	case "serviceAccount":
		return "is an old name; write serviceAccountName"
	case "readinessGates":
		return "must stay the operator's, by which no pod takes traffic before its place is proved; leave it out"
	case "hostNetwork":
		return "must stay false, because pods are reached at the addresses of their Services; leave it out"
	default:
		return "must stay the operator's; leave it out (a podTemplate may have " + strings.Join(podFields(), ", ") + ")"
	}
}

func (c *checker) checkMetadata() {
	for _, field := range others(under(c.fields, "metadata"), []string{"labels", "annotations"}) {
		c.refuse("metadata."+field, "is not for the pods of a workload; leave it out, and write labels and annotations alone")
	}
	for _, key := range slices.Sorted(maps.Keys(c.given.Labels)) {
		const path = "metadata.labels"
		_, taken := c.Template.Labels[key]
		switch value := c.given.Labels[key]; {
		case taken || reserved(key):
			c.refuse(path, "must not set %s, by which the operator and Kubernetes know the pods; choose another key", key)
		case len(validation.IsQualifiedName(key)) > 0 || len(validation.IsValidLabelValue(value)) > 0:
			c.refuse(path, "has %s: %s, which is no label; write letters, digits, '-', '_' and '.', at most 63", key, value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.given.Annotations)) {
		const path = "metadata.annotations"
		_, taken := c.Template.Annotations[key]
		switch {
		case reserved(key):
			c.refuse(path, "must not set %s, which the operator uses; choose another prefix", key)
		case taken:
			c.refuse(path, "sets %s, and so does spec.podAnnotations; keep one of them", key)
		case len(validation.IsQualifiedName(strings.ToLower(key))) > 0:
			c.refuse(path, "has the key %s, which is no name of an annotation; write letters, digits, '-', '_' and '.', at most 63, after an optional domain and '/'", key)
		}
	}
}

// reserved reports whether a label or annotation is the operator's, or put onto pods by Kubernetes' controllers.
func reserved(key string) bool {
	switch key {
	case "controller-revision-hash", "pod-template-hash":
		return true
	}
	prefix, _, _ := strings.Cut(key, "/")
	switch prefix {
	case v1alpha1.Group, "statefulset.kubernetes.io", "apps.kubernetes.io":
		return true
	}
	return false
}

// operatorVolumes returns the names of the volumes that the operator's containers mount, or that are in its template: a claim of a
// StatefulSet is only mounted.
func (c *checker) operatorVolumes() map[string]bool {
	names := map[string]bool{}
	for i := range c.Template.Spec.Volumes {
		names[c.Template.Spec.Volumes[i].Name] = true
	}
	for i := range c.Template.Spec.Containers {
		for _, mount := range c.Template.Spec.Containers[i].VolumeMounts {
			names[mount.Name] = true
		}
	}
	return names
}

func (c *checker) checkVolumes() {
	taken, seen := c.operatorVolumes(), map[string]bool{}
	for i := range c.given.Spec.Volumes {
		name := c.given.Spec.Volumes[i].Name
		path := "spec.volumes[" + name + "]"
		switch {
		case len(validation.IsDNS1123Label(name)) > 0:
			c.refuse(path, "has no name that a volume can have; write letters a-z, digits and '-', at most 63")
		case taken[name]:
			c.refuse(path, "has the name of a volume of the operator's (%s); choose another name", strings.Join(slices.Sorted(maps.Keys(taken)), ", "))
		case seen[name]:
			c.refuse(path, "is there twice; keep one of them")
		}
		seen[name] = true
	}
}
