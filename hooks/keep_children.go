package hooks

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// lastApplied is where Metacontroller's dynamic-apply keeps what a hook declared last. To declare exactly that again
// changes nothing.
const lastApplied = "metacontroller.k8s.io/last-applied-configuration"

// keepAll declares every observed child as it is. A child left out would be deleted.
func keepAll(in *instance) (children, error) {
	kept, err := keepAllButTopology(in)
	if err == nil && in.topology != nil {
		kept.keep(topologyAPI, "KVRocksTopology", in.topology, func(c *child) { c.Spec = in.topology.Spec })
	}
	return kept, kept.err
}

const topologyAPI = v1alpha1.Group + "/" + v1alpha1.Version

// keepAllButTopology is for the case in which the topology is declared otherwise.
func keepAllButTopology(in *instance) (children, error) {
	kept, err := keepNonWorkloads(in)
	if err != nil {
		return kept, err
	}
	for _, o := range sortedByKey(in.children.StatefulSets) {
		kept.keep("apps/v1", "StatefulSet", o, func(c *child) { c.Spec = o.Spec })
	}
	for _, o := range sortedByKey(in.children.Deployments) {
		kept.keep("apps/v1", "Deployment", o, func(c *child) { c.Spec = o.Spec })
	}
	return kept, kept.err
}

// keepNonWorkloads declares neither topology nor StatefulSets and Deployments.
func keepNonWorkloads(in *instance) (children, error) {
	var kept children
	seen := in.children
	for _, o := range sortedByKey(seen.ConfigMaps) {
		kept.keep("v1", "ConfigMap", o, func(c *child) { c.Data = o.Data })
	}
	for _, o := range sortedByKey(seen.Secrets) {
		kept.keep("v1", "Secret", o, func(c *child) { c.Type, c.Data = string(o.Type), o.Data })
	}
	for _, o := range sortedByKey(seen.Services) {
		kept.keep("v1", "Service", o, func(c *child) { c.Spec = o.Spec })
	}
	for _, o := range sortedByKey(seen.PodDisruptionBudgets) {
		kept.keep("policy/v1", "PodDisruptionBudget", o, func(c *child) { c.Spec = o.Spec })
	}
	for _, o := range sortedByKey(seen.NetworkPolicies) {
		kept.keep("networking.k8s.io/v1", "NetworkPolicy", o, func(c *child) { c.Spec = o.Spec })
	}
	return kept, kept.err
}

// sortedByKey returns the objects by key, without those that are missing.
func sortedByKey[T any](objects map[string]*T) []*T {
	list := make([]*T, 0, len(objects))
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		if objects[key] != nil {
			list = append(list, objects[key])
		}
	}
	return list
}

// keep declares an observed object: what was declared last, or, where that is not on record (server-side apply), the
// object itself as fill sees it.
func (c *children) keep(apiVersion, kind string, observed metav1.Object, fill func(*child)) {
	if c.err != nil {
		return
	}
	if last := observed.GetAnnotations()[lastApplied]; declares(last, kind, observed.GetName()) {
		c.list = append(c.list, json.RawMessage(last))
		return
	}
	object := child{
		APIVersion: apiVersion, Kind: kind,
		Metadata: metadata{
			Name: observed.GetName(), Namespace: observed.GetNamespace(),
			Labels:      keptLabels(observed.GetLabels()),
			Annotations: keptAnnotations(observed.GetAnnotations()),
		},
	}
	fill(&object)
	c.addVerbatim(object)
}

// declares reports whether text is a declaration of the object that carries it, and so safe to send.
func declares(text, kind, name string) bool {
	if text == "" || holdsNull([]byte(text)) {
		return false
	}
	var head struct {
		Kind     string `json:"kind"`
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
	}
	err := json.Unmarshal([]byte(text), &head)
	return err == nil && head.Kind == kind && head.Metadata.Name == name
}

// keptLabels returns the labels that are ours; Metacontroller adds its own.
func keptLabels(labels map[string]string) map[string]string {
	kept := make(map[string]string, len(labels))
	for key, value := range labels {
		if strings.HasPrefix(key, "app.kubernetes.io/") || strings.HasPrefix(key, v1alpha1.Group+"/") {
			kept[key] = value
		}
	}
	return kept
}

func keptAnnotations(annotations map[string]string) map[string]string {
	kept := make(map[string]string, len(annotations))
	for key, value := range annotations {
		if strings.HasPrefix(key, v1alpha1.Group+"/") {
			kept[key] = value
		}
	}
	return kept
}
