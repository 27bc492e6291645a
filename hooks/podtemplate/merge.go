package podtemplate

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// Merge returns the operator's template with the podTemplate merged into it: the template itself when there is no podTemplate. What is
// the operator's stands first in each list. It fails for a podTemplate that has problems which a merge cannot bear.
func (p Pods) Merge() (corev1.PodTemplateSpec, error) {
	if p.empty() {
		return p.Template, nil
	}
	var given, merged corev1.PodTemplateSpec
	if err := json.Unmarshal(p.Given.Raw, &given); err != nil {
		return merged, fmt.Errorf("read %s: %w", p.Field, err)
	}
	base := p.Template.DeepCopy()
	defaultUser(base.Spec.SecurityContext, given.Spec.SecurityContext)
	raw, err := json.Marshal(base)
	if err != nil {
		return merged, fmt.Errorf("encode the template of %s: %w", p.Container, err)
	}
	if raw, err = strategicpatch.StrategicMergePatch(raw, p.Given.Raw, merged); err != nil {
		return merged, fmt.Errorf("merge %s: %w", p.Field, err)
	}
	// Through the type, so that quantities are written as the API server writes them: others would differ on every sync.
	if err := json.Unmarshal(raw, &merged); err != nil {
		return merged, fmt.Errorf("read the merged %s: %w", p.Field, err)
	}
	if merged.Annotations == nil {
		merged.Annotations = map[string]string{} // the hash is added to them
	}
	inOrder(&merged.Spec, &base.Spec, &given.Spec)
	p.orderMain(&merged.Spec, given.Spec.Containers)
	// The API server writes the old name beside the new one, and would give the new one back when that alone is taken away.
	merged.Spec.DeprecatedServiceAccount = merged.Spec.ServiceAccountName
	setDefaults(merged.Spec.Volumes)
	return merged, nil
}

// defaultUser changes the operator's user and groups to the defaults that go with a given security context. An empty one leaves them to
// the platform. A user that is given brings its groups along, unless they are given as well: a volume is then made readable for it,
// because the group of its root differs.
func defaultUser(base, given *corev1.PodSecurityContext) {
	switch {
	case base == nil || given == nil:
	case reflect.ValueOf(*given).IsZero():
		base.RunAsUser, base.RunAsGroup, base.FSGroup = nil, nil, nil
	case given.RunAsUser != nil:
		base.RunAsGroup, base.FSGroup = given.RunAsUser, given.RunAsUser
	}
}

// inOrder puts what is the operator's first, and what is given after it in its order. Kubernetes' merge begins with what is given.
func inOrder(merged, base, given *corev1.PodSpec) {
	container := func(c corev1.Container) string { return c.Name }
	order(merged.Containers, base.Containers, given.Containers, container)
	order(merged.InitContainers, base.InitContainers, given.InitContainers, container)
	order(merged.Volumes, base.Volumes, given.Volumes, func(v corev1.Volume) string { return v.Name })
}

// orderMain does so in the main container.
func (p Pods) orderMain(merged *corev1.PodSpec, given []corev1.Container) {
	base, patch, into := p.main(), containerNamed(given, p.Container), containerNamed(merged.Containers, p.Container)
	if base == nil || patch == nil || into == nil {
		return
	}
	order(into.Env, base.Env, patch.Env, func(e corev1.EnvVar) string { return e.Name })
	order(into.VolumeMounts, base.VolumeMounts, patch.VolumeMounts, func(m corev1.VolumeMount) string { return m.MountPath })
}

// order sorts a list by the place of each key in the first list, and after that in the second.
func order[T any](list, first, second []T, key func(T) string) {
	place := make(map[string]int, len(first)+len(second))
	for i, item := range slices.Concat(first, second) {
		if _, known := place[key(item)]; !known {
			place[key(item)] = i
		}
	}
	slices.SortStableFunc(list, func(a, b T) int { return place[key(a)] - place[key(b)] })
}

// setDefaults writes what the API server fills into lists that Metacontroller replaces as a whole, because their items have no key: an
// item without it would differ from the live object on every sync.
func setDefaults(volumes []corev1.Volume) {
	for i := range volumes {
		projected := volumes[i].Projected
		if projected == nil {
			continue
		}
		for k := range projected.Sources {
			if token := projected.Sources[k].ServiceAccountToken; token != nil && token.ExpirationSeconds == nil {
				token.ExpirationSeconds = new(int64(3600))
			}
			if downward := projected.Sources[k].DownwardAPI; downward != nil {
				for n := range downward.Items {
					if ref := downward.Items[n].FieldRef; ref != nil && ref.APIVersion == "" {
						ref.APIVersion = "v1"
					}
				}
			}
		}
	}
}
