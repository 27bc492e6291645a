package composite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/hook"
)

// Config is what a [Controller] needs from the program around it.
type Config struct {
	Client   dynamic.Interface
	Mapper   meta.RESTMapper
	Keys     hook.KeyReader
	Recorder record.EventRecorder
	Log      *slog.Logger

	Workers int           // parents synced at the same time
	Resync  time.Duration // period at which every parent is synced without a reason; 0 for never
}

// Controller is the loop of one CompositeController.
type Controller struct {
	Config
	name   string
	spec   api.Spec
	object *unstructured.Unstructured // the CompositeController, sent to the hooks

	finalizer            string
	syncHook, finishHook *hook.Hook
	parentSelector       labels.Selector

	queue    workqueue.TypedRateLimitingInterface[string]
	parents  watch
	children []childKind
	related  *related
}

// childKind is a declared kind of children.
type childKind struct {
	watch
	method api.UpdateMethod
}

// New prepares the loop of the CompositeController in object. It fails if a
// resource is unknown to the API server, a hook is misconfigured, or the
// controller asks for something that the stand-in does not imitate.
func New(ctx context.Context, object *unstructured.Unstructured, config Config) (*Controller, error) {
	cc, err := api.FromUnstructured(object)
	if err != nil {
		return nil, err
	}
	if cc.Spec.Hooks == nil {
		return nil, errors.New("no hooks defined")
	}
	c := &Controller{
		Config:    config,
		name:      cc.Name,
		spec:      cc.Spec,
		object:    object,
		finalizer: "metacontroller.io/compositecontroller-" + cc.Name,
		queue:     workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
	}
	c.Log = config.Log.With("controller", cc.Name)
	c.parentSelector = labels.Everything()
	if selector := cc.Spec.ParentResource.LabelSelector; selector != nil {
		if c.parentSelector, err = metav1.LabelSelectorAsSelector(selector); err != nil {
			return nil, fmt.Errorf("labelSelector of the parent resource: %w", err)
		}
	}
	if c.syncHook, err = hook.New(ctx, cc.Spec.Hooks.Sync, config.Keys); err != nil {
		return nil, fmt.Errorf("sync hook: %w", err)
	}
	if c.finishHook, err = hook.New(ctx, cc.Spec.Hooks.Finalize, config.Keys); err != nil {
		return nil, fmt.Errorf("finalize hook: %w", err)
	}
	customize, err := hook.New(ctx, cc.Spec.Hooks.Customize, config.Keys)
	if err != nil {
		return nil, fmt.Errorf("customize hook: %w", err)
	}
	if err := c.addWatches(); err != nil {
		return nil, err
	}
	c.related = newRelated(c, customize)
	return c, nil
}

func (c *Controller) addWatches() error {
	parent, err := findResource(c.Mapper, c.spec.ParentResource.ResourceRule)
	if err != nil {
		return err
	}
	resync := c.Resync
	if seconds := c.spec.ResyncPeriodSeconds; seconds != nil {
		resync = max(time.Duration(*seconds)*time.Second, time.Second)
	}
	c.parents = newWatch(c.Client, parent, resync)
	if err := c.parents.handle(cache.ResourceEventHandlerFuncs{
		AddFunc:    c.enqueue,
		UpdateFunc: c.parentUpdated,
		DeleteFunc: c.parentDeleted,
	}); err != nil {
		return err
	}
	for _, child := range c.spec.ChildResources {
		method, err := child.Method()
		if err != nil {
			return err
		}
		found, err := findResource(c.Mapper, child.ResourceRule)
		if err != nil {
			return err
		}
		w := newWatch(c.Client, found, c.Resync)
		if err := w.handle(cache.ResourceEventHandlerFuncs{
			AddFunc:    c.childChanged,
			UpdateFunc: c.childUpdated,
			DeleteFunc: c.childDeleted,
		}); err != nil {
			return err
		}
		c.children = append(c.children, childKind{watch: w, method: method})
	}
	return nil
}

// Run runs the loop until ctx is done. All its goroutines are gone when it
// returns. It must be called once.
func (c *Controller) Run(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	defer c.queue.ShutDown()

	c.related.start(ctx, &group)
	synced := []cache.InformerSynced{c.parents.informer.HasSynced}
	group.Go(func() { c.parents.informer.RunWithContext(ctx) })
	for _, child := range c.children {
		synced = append(synced, child.informer.HasSynced)
		group.Go(func() { child.informer.RunWithContext(ctx) })
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return
	}
	c.Log.Info("started", "parent", c.parents.gvk.Kind, "children", len(c.children))
	for range c.Workers {
		group.Go(func() {
			for c.next(ctx) {
			}
		})
	}
	<-ctx.Done()
}

// next syncs one parent; false means that the queue is shut down.
func (c *Controller) next(ctx context.Context) bool {
	key, shutdown := c.queue.Get()
	if shutdown {
		return false
	}
	defer c.queue.Done(key)

	err := c.sync(ctx, key)
	var busy *hook.TooManyRequestsError
	switch {
	case err == nil:
		c.queue.Forget(key)
	case errors.As(err, &busy):
		c.Log.Info("hook asked to wait", "parent", key, "after", busy.After)
		c.queue.AddAfter(key, busy.After)
	case errors.Is(err, errRelatedNotSynced):
		c.queue.AddRateLimited(key)
	case ctx.Err() != nil:
		// The loop is being stopped.
	default:
		c.Log.Error("sync failed", "parent", key, "err", err)
		c.queue.AddRateLimited(key)
	}
	return true
}

// sync brings the parent with the key up to date, and tells its events of a failure.
func (c *Controller) sync(ctx context.Context, key string) error {
	parent, err := c.parents.get(key)
	if parent == nil || err != nil {
		return err
	}
	err = c.syncParent(ctx, parent)
	var busy *hook.TooManyRequestsError
	if err != nil && ctx.Err() == nil && !errors.As(err, &busy) && !errors.Is(err, errRelatedNotSynced) {
		c.Recorder.Eventf(parent, corev1.EventTypeWarning, "SyncError", "Sync error: %s", err)
	}
	return err
}

// method returns the update method of a kind; a kind that is not declared is never updated.
func (c *Controller) method(kind schema.GroupKind) api.UpdateMethod {
	for _, child := range c.children {
		if child.gvk.GroupKind() == kind {
			return child.method
		}
	}
	return api.OnDelete
}
