package composite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/hook"
)

// errRelatedNotSynced means that the cache of a related resource is still being filled.
var errRelatedNotSynced = errors.New("related informer not synced yet")

// customizeLife is how long an answer of the customize hook is used for one
// generation of a parent.
const customizeLife = 20 * time.Minute

// related knows the related objects of parents.
type related struct {
	controller *Controller
	hook       *hook.Hook // nil if there is no customize hook

	ctx   context.Context // of Run: watches that are added later live as long
	group *sync.WaitGroup

	mu      sync.Mutex
	watches map[schema.GroupVersionResource]watch
	answers map[types.UID]customized
}

// customized is an answer of the customize hook.
type customized struct {
	generation int64
	at         time.Time
	rules      []api.RelatedResourceRule
}

func newRelated(controller *Controller, customize *hook.Hook) *related {
	return &related{
		controller: controller,
		hook:       customize,
		watches:    make(map[schema.GroupVersionResource]watch),
		answers:    make(map[types.UID]customized),
	}
}

func (r *related) start(ctx context.Context, group *sync.WaitGroup) {
	r.ctx, r.group = ctx, group
}

func (r *related) forget(parent types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.answers, parent)
}

// objects returns the related objects of a parent. Every kind that a rule names
// has an entry.
func (r *related) objects(ctx context.Context, parent *unstructured.Unstructured) (objects, error) {
	found := make(objects)
	if r.hook == nil {
		return found, nil
	}
	rules, err := r.rules(ctx, parent)
	if err != nil {
		return nil, err
	}
	for _, rule := range rules {
		w, err := r.watch(rule.ResourceRule)
		if err != nil {
			return nil, err
		}
		s, err := newSelection(rule, r.hook.Version(), parent, w.namespaced && r.controller.parents.namespaced)
		if err != nil {
			return nil, err
		}
		listed, err := w.list(s.namespace)
		if err != nil {
			return nil, err
		}
		found.addKind(w.gvk)
		for _, object := range listed {
			if s.matches(object) {
				found.add(object)
			}
		}
	}
	return found, nil
}

// rules returns what the customize hook answers for the parent, remembered for
// its generation.
func (r *related) rules(ctx context.Context, parent *unstructured.Unstructured) ([]api.RelatedResourceRule, error) {
	r.mu.Lock()
	answer, ok := r.answers[parent.GetUID()]
	r.mu.Unlock()
	if ok && answer.generation == parent.GetGeneration() && time.Since(answer.at) < customizeLife {
		return answer.rules, nil
	}
	var response customizeResponse
	if err := r.hook.Call(ctx, customizeRequest{Controller: r.controller.object, Parent: parent}, &response); err != nil {
		return nil, fmt.Errorf("customize hook failed for %s: %w", describe(parent), err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[parent.GetUID()] = customized{
		generation: parent.GetGeneration(), at: time.Now(), rules: response.RelatedResources,
	}
	return response.RelatedResources, nil
}

// watch returns the cache of a related resource, and starts it on first use.
func (r *related) watch(rule api.ResourceRule) (watch, error) {
	of, err := findResource(r.controller.Mapper, rule)
	if err != nil {
		return watch{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w, ok := r.watches[of.gvr]
	if !ok {
		w = newWatch(r.controller.Client, of, r.controller.Resync)
		if err := w.handle(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(object any) { r.changed(asObject(object)) },
			UpdateFunc: func(old, current any) { r.updated(asObject(old), asObject(current)) },
			DeleteFunc: func(object any) { r.changed(asObject(object)) },
		}); err != nil {
			return watch{}, err
		}
		r.watches[of.gvr] = w
		r.group.Go(func() { w.informer.RunWithContext(r.ctx) })
	}
	if !w.informer.HasSynced() {
		return watch{}, errRelatedNotSynced
	}
	return w, nil
}

func (r *related) updated(old, current *unstructured.Unstructured) {
	if old.GetResourceVersion() != current.GetResourceVersion() {
		r.changed(old, current)
	}
}

// changed enqueues every parent that any of the objects is related to.
func (r *related) changed(versions ...*unstructured.Unstructured) {
	parents, err := r.controller.parents.list("")
	if err != nil {
		r.controller.Log.Error("find parents of a related object", "err", err)
		return
	}
	for _, parent := range parents {
		rules, err := r.rules(r.ctx, parent)
		if err != nil {
			// A parent's own sync makes the same call and reports its failure.
			continue
		}
		if r.anyMatches(parent, rules, versions) {
			r.controller.enqueue(parent)
		}
	}
}

func (r *related) anyMatches(parent *unstructured.Unstructured, rules []api.RelatedResourceRule, versions []*unstructured.Unstructured) bool {
	for _, rule := range rules {
		of, err := findResource(r.controller.Mapper, rule.ResourceRule)
		if err != nil {
			continue
		}
		s, err := newSelection(rule, r.hook.Version(), parent, of.namespaced && r.controller.parents.namespaced)
		if err != nil {
			continue
		}
		for _, object := range versions {
			if object != nil && object.GroupVersionKind() == of.gvk && s.selects(object) {
				return true
			}
		}
	}
	return false
}
