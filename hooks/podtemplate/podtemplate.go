package podtemplate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"
)

// Pods are the pods of one component, with the podTemplate that a person wrote for them.
type Pods struct {
	// Field is where the podTemplate stands, such as spec.podTemplate.
	Field string
	// Given is the podTemplate; nil for none.
	Given *runtime.RawExtension
	// Template is the operator's, which Given is merged into. It is only read.
	Template corev1.PodTemplateSpec
	// Container is the name of the main container in Template.
	Container string
}

// Problems returns what is wrong with the podTemplate, in sentences that say what to write instead; nil when nothing is.
func (p Pods) Problems() []string {
	if p.empty() {
		return nil
	}
	c, problem := p.read()
	if problem != "" {
		return []string{problem}
	}
	c.checkMetadata()
	c.checkPodFields()
	c.checkVolumes()
	c.checkContainers()
	return c.problems
}

func (p Pods) empty() bool { return p.Given == nil || len(p.Given.Raw) == 0 }

// component returns the field of the component, such as spec.cluster.etcd: what the podTemplate must not say stands there.
func (p Pods) component() string { return strings.TrimSuffix(p.Field, ".podTemplate") }

// main returns the operator's main container.
func (p Pods) main() *corev1.Container {
	return containerNamed(p.Template.Spec.Containers, p.Container)
}

// containerNamed returns the container with a name; nil when there is none.
func containerNamed(list []corev1.Container, name string) *corev1.Container {
	if i := slices.IndexFunc(list, func(c corev1.Container) bool { return c.Name == name }); i >= 0 {
		return &list[i]
	}
	return nil
}

// checker collects the problems of one podTemplate.
type checker struct {
	Pods
	fields   object // as it is written: what is not there differs from what is zero
	given    corev1.PodTemplateSpec
	problems []string
}

// mostBytes bounds a podTemplate. What is declared of an object is kept in an annotation of it, and Kubernetes bounds those.
const mostBytes = 64 << 10

// object is a JSON object.
type object = map[string]any

// read decodes the podTemplate, or returns what keeps it from being one.
func (p Pods) read() (c *checker, problem string) {
	c = &checker{Pods: p}
	if len(p.Given.Raw) > mostBytes {
		return nil, fmt.Sprintf("%s has %d bytes; put files into a ConfigMap and mount it, so that at most %d are left", p.Field, len(p.Given.Raw), mostBytes)
	}
	if err := json.Unmarshal(p.Given.Raw, &c.fields); err != nil {
		return nil, p.Field + " is no object; write metadata and spec of a PodTemplateSpec"
	}
	unknown, err := kjson.UnmarshalStrict(p.Given.Raw, &c.given)
	if err != nil {
		return nil, fmt.Sprintf("%s cannot be read: %v; write what kubectl explain pod.spec says", p.Field, err)
	}
	if len(unknown) > 0 {
		all := make([]string, len(unknown))
		for i := range unknown {
			all[i] = unknown[i].Error()
		}
		return nil, fmt.Sprintf("%s has %s; write metadata and spec with the fields of a PodTemplateSpec (kubectl explain pod.spec)", p.Field, strings.Join(all, ", "))
	}
	if path := nullIn(c.fields, ""); path != "" {
		return nil, fmt.Sprintf("%s%s is null, which kubectl apply does not keep; leave it out (securityContext: {} leaves user and groups to the platform)", p.Field, path)
	}
	return c, ""
}

// nullIn returns the path of the first null in a value, in the order of the keys; "" when there is none.
func nullIn(value any, path string) string {
	switch v := value.(type) {
	case nil:
		return path
	case object:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if found := nullIn(v[key], path+"."+key); found != "" {
				return found
			}
		}
	case []any:
		for i := range v {
			if found := nullIn(v[i], path+"["+strconv.Itoa(i)+"]"); found != "" {
				return found
			}
		}
	}
	return ""
}

// refuse adds a problem of a field of the podTemplate.
func (c *checker) refuse(path, format string, args ...any) {
	c.problems = append(c.problems, c.Field+"."+path+" "+fmt.Sprintf(format, args...))
}

// under returns the object that stands in a field; nil when there is none.
func under(o object, field string) object {
	inner, _ := o[field].(object)
	return inner
}

// listed returns the objects of a list.
func listed(o object, field string) []object {
	list, _ := o[field].([]any)
	all := make([]object, len(list))
	for i := range list {
		all[i], _ = list[i].(object)
	}
	return all
}

// others returns the fields of an object, sorted, that are not among the allowed ones.
func others(o object, allowed []string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(o)), func(field string) bool { return slices.Contains(allowed, field) })
}
