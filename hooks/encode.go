package hooks

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// child is an object as it is applied: what we care about and nothing else. In particular it has no status, which
// belongs to others. Of the payloads one is used: Spec, or Data (with Type for a Secret).
type child struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
	Type       string   `json:"type,omitempty"`
	Spec       any      `json:"spec,omitempty"`
	Data       any      `json:"data,omitempty"`
}

// metadata is the part of metav1.ObjectMeta that we set.
type metadata struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// children collects encoded objects in the order in which they are added. The first error sticks.
type children struct {
	list     []json.RawMessage
	declared []declaration // of those that are not kept as they are
	err      error
}

// add encodes one object, marked with the hash of what it declares (see declaration).
func (c *children) add(object child) {
	if c.err != nil {
		return
	}
	raw, hash, err := encodeWithHash(object)
	if err != nil {
		c.err = fmt.Errorf("encode %s %s: %w", object.Kind, object.Metadata.Name, err)
		return
	}
	c.list = append(c.list, raw)
	c.declared = append(c.declared, declaration{kind: object.Kind, name: object.Metadata.Name, hash: hash})
}

// addVerbatim encodes one object without a mark of its own.
func (c *children) addVerbatim(object child) {
	if c.err != nil {
		return
	}
	raw, err := marshal(object)
	if err != nil {
		c.err = fmt.Errorf("encode %s %s: %w", object.Kind, object.Metadata.Name, err)
		return
	}
	c.list = append(c.list, raw)
}

// marshal encodes what is sent. With a 3-way apply an explicit null differs from the live object for ever, which is a
// write on every sync: it is refused.
func marshal(object any) ([]byte, error) {
	raw, err := json.Marshal(object)
	if err == nil && holdsNull(raw) {
		err = errors.New("it holds a null")
	}
	return raw, err
}

// holdsNull reports whether valid JSON holds a null anywhere.
func holdsNull(raw []byte) bool {
	inString := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && c == 'n':
			return true
		}
	}
	return false
}

// object returns the beginning of a child of an instance.
func (in *instance) object(apiVersion, kind, name, component string) child {
	return child{
		APIVersion: apiVersion,
		Kind:       kind,
		Metadata:   metadata{Name: name, Namespace: in.namespace, Labels: in.labels(component)},
	}
}

// labels returns those on every child and every pod of an instance.
func (in *instance) labels(component string) map[string]string {
	return map[string]string{
		v1alpha1.LabelName:      v1alpha1.NameValue,
		v1alpha1.LabelInstance:  in.name,
		v1alpha1.LabelComponent: component,
		v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue,
		v1alpha1.LabelKVRocks:   in.name,
	}
}
