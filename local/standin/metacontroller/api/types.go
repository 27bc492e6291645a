package api

import (
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// CompositeController registers the hooks of one parent kind.
type CompositeController struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec Spec `json:"spec"`
}

// Spec is the spec of a [CompositeController].
type Spec struct {
	ParentResource ParentResource  `json:"parentResource"`
	ChildResources []ChildResource `json:"childResources,omitempty"`
	Hooks          *Hooks          `json:"hooks,omitempty"`

	// ResyncPeriodSeconds calls the sync hook for every parent at this period; at
	// least 1. Unset means the cache flush interval.
	ResyncPeriodSeconds *int32 `json:"resyncPeriodSeconds,omitempty"`

	// GenerateSelector selects children by the label controller-uid, which is then
	// added to each of them, instead of by the parent's spec.selector.
	GenerateSelector bool `json:"generateSelector,omitempty"`
}

// ResourceRule names a resource by its plural.
type ResourceRule struct {
	APIVersion string `json:"apiVersion"`
	Resource   string `json:"resource"`
}

// GVR returns the rule as a group, version and resource.
func (r ResourceRule) GVR() (schema.GroupVersionResource, error) {
	gv, err := schema.ParseGroupVersion(r.APIVersion)
	if err != nil {
		return schema.GroupVersionResource{}, fmt.Errorf("apiVersion of resource %q: %w", r.Resource, err)
	}
	return gv.WithResource(r.Resource), nil
}

// ParentResource selects the parents.
type ParentResource struct {
	ResourceRule `json:",inline"`

	// LabelSelector restricts the parents; nil selects all.
	LabelSelector *metav1.LabelSelector `json:"labelSelector,omitempty"`

	// IgnoreStatusChanges keeps an update of the status alone from calling the hook.
	IgnoreStatusChanges bool `json:"ignoreStatusChanges,omitempty"`
}

// ChildResource declares a kind of children.
type ChildResource struct {
	ResourceRule `json:",inline"`

	UpdateStrategy *UpdateStrategy `json:"updateStrategy,omitempty"`
}

// UpdateMethod says how an observed child is brought to its desired form.
type UpdateMethod string

// The update methods. An empty one means [OnDelete].
const (
	OnDelete UpdateMethod = "OnDelete" // never; only a child that was deleted is made again
	InPlace  UpdateMethod = "InPlace"  // by PUT
	Recreate UpdateMethod = "Recreate" // by DELETE, and POST in the next sync
)

// UpdateStrategy wraps an [UpdateMethod].
type UpdateStrategy struct {
	Method UpdateMethod `json:"method,omitempty"`
}

// Method returns the update method of the child kind.
func (c ChildResource) Method() (UpdateMethod, error) {
	if c.UpdateStrategy == nil || c.UpdateStrategy.Method == "" {
		return OnDelete, nil
	}
	switch m := c.UpdateStrategy.Method; m {
	case OnDelete, InPlace, Recreate:
		return m, nil
	default:
		return "", fmt.Errorf("updateStrategy %q of %s: the stand-in knows OnDelete, InPlace and Recreate", m, c.Resource)
	}
}

// Hooks are the hooks of a [CompositeController]; only Sync is needed.
type Hooks struct {
	Customize *Hook `json:"customize,omitempty"`
	Sync      *Hook `json:"sync,omitempty"`
	Finalize  *Hook `json:"finalize,omitempty"`
}

// HookVersion is the version of a hook's request and response.
type HookVersion string

// The hook versions. They differ in the keys of children and related objects,
// and in the default of [Webhook.ResponseUnmarshallMode].
const (
	V1 HookVersion = "v1"
	V2 HookVersion = "v2"
)

// Hook is one hook.
type Hook struct {
	// Version defaults to v1.
	Version HookVersion `json:"version,omitempty"`
	Webhook *Webhook    `json:"webhook,omitempty"`
}

// EffectiveVersion returns the hook's version with its default.
func (h *Hook) EffectiveVersion() HookVersion {
	if h == nil || h.Version == "" {
		return V1
	}
	return h.Version
}

// Webhook says how to reach a hook: by URL, or by Service and Path.
type Webhook struct {
	URL     *string           `json:"url,omitempty"`
	Service *ServiceReference `json:"service,omitempty"`
	Path    *string           `json:"path,omitempty"`

	// Timeout is that of the whole call; not positive or unset means 10 s.
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// ResponseUnmarshallMode is "strict" or "loose"; unset means strict for v2 and
	// loose for v1. The odd spelling of the JSON name is the real one.
	ResponseUnmarshallMode string `json:"responseUnMarshallMode,omitempty"`

	CABundle      *CABundle      `json:"caBundle,omitempty"`
	Authorization *Authorization `json:"authorization,omitempty"`
}

// ServiceReference names a Service. It is resolved by cluster DNS.
type ServiceReference struct {
	Name      string  `json:"name"`
	Namespace string  `json:"namespace"`
	Port      *int32  `json:"port,omitempty"`     // default 80
	Protocol  *string `json:"protocol,omitempty"` // default http
}

// DefaultTimeout is the timeout of a webhook that sets none.
const DefaultTimeout = 10 * time.Second

// EffectiveTimeout returns the webhook's timeout with its default.
func (w *Webhook) EffectiveTimeout() time.Duration {
	if w.Timeout == nil || w.Timeout.Duration <= 0 {
		return DefaultTimeout
	}
	return w.Timeout.Duration
}

// EffectiveURL returns where to POST.
func (w *Webhook) EffectiveURL() (string, error) {
	if w.URL != nil {
		return *w.URL, nil
	}
	if w.Service == nil || w.Path == nil {
		return "", errors.New("webhook: needs url, or both service and path")
	}
	if w.Service.Name == "" || w.Service.Namespace == "" {
		return "", errors.New("webhook: service needs name and namespace")
	}
	port, protocol := int32(80), "http"
	if w.Service.Port != nil {
		port = *w.Service.Port
	}
	if w.Service.Protocol != nil {
		protocol = *w.Service.Protocol
	}
	return fmt.Sprintf("%s://%s.%s:%d%s", protocol, w.Service.Name, w.Service.Namespace, port, *w.Path), nil
}

// CABundle is where the PEM certificates come from that a webhook's server is
// verified with. Exactly one field is set.
type CABundle struct {
	Inline       *string `json:"inline,omitempty"`
	SecretRef    *KeyRef `json:"secretRef,omitempty"`
	ConfigMapRef *KeyRef `json:"configMapRef,omitempty"`
}

// Authorization is an Authorization header whose value is kept in a Secret.
type Authorization struct {
	Type      string `json:"type,omitempty"` // default Bearer
	SecretRef KeyRef `json:"secretRef"`
}

// KeyRef names a key of a Secret or ConfigMap.
type KeyRef struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Key       string `json:"key,omitempty"` // default ca.crt in a CABundle
}

// RelatedResourceRule is one rule of a customize hook's answer.
type RelatedResourceRule struct {
	ResourceRule `json:",inline"`

	LabelSelector     *metav1.LabelSelector `json:"labelSelector,omitempty"`
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	Namespace         string                `json:"namespace,omitempty"`
	Names             []string              `json:"names,omitempty"`
}

// FromUnstructured decodes a CompositeController read from the API server.
func FromUnstructured(u *unstructured.Unstructured) (*CompositeController, error) {
	cc := &CompositeController{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, cc); err != nil {
		return nil, fmt.Errorf("decode CompositeController %s: %w", u.GetName(), err)
	}
	return cc, nil
}
