package manager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/composite"
)

// Manager runs the loops. Make one with [New].
type Manager struct {
	config   composite.Config
	selector labels.Selector // of CompositeControllers
	log      *slog.Logger

	queue workqueue.TypedRateLimitingInterface[string]
	loops map[string]loop // by name; used by the one worker alone
}

// loop is a running loop.
type loop struct {
	object *unstructured.Unstructured
	stop   context.CancelFunc
	done   <-chan struct{}
}

// New returns a manager of the CompositeControllers that selector selects.
func New(config composite.Config, selector labels.Selector) *Manager {
	return &Manager{
		config:   config,
		selector: selector,
		log:      config.Log,
		queue:    workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
		loops:    make(map[string]loop),
	}
}

func controllerResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "metacontroller.k8s.io", Version: "v1alpha1", Resource: "compositecontrollers"}
}

// Run keeps the loops running until ctx is done, and stops them all before it
// returns. It waits for the CompositeController CRD as long as it must.
func (m *Manager) Run(ctx context.Context) error {
	informer := dynamicinformer.NewFilteredDynamicInformer(
		m.config.Client, controllerResource(), metav1.NamespaceAll, 0*time.Second, nil, nil).Informer()
	enqueue := func(object any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
			m.queue.Add(key)
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, object any) { enqueue(object) },
		DeleteFunc: enqueue,
	}); err != nil {
		return fmt.Errorf("watch CompositeControllers: %w", err)
	}
	informed := make(chan struct{})
	go func() {
		defer close(informed)
		informer.RunWithContext(ctx)
	}()
	defer func() {
		for name := range m.loops {
			m.stop(name)
		}
		<-informed
	}()
	context.AfterFunc(ctx, m.queue.ShutDown)

	for {
		name, shutdown := m.queue.Get()
		if shutdown {
			return nil
		}
		object, found, err := informer.GetIndexer().GetByKey(name)
		if err == nil && found {
			err = m.ensure(ctx, object.(*unstructured.Unstructured))
		} else if err == nil {
			m.stop(name)
		}
		if err != nil {
			m.log.Error("can't start a controller", "controller", name, "err", err)
			m.queue.AddRateLimited(name)
		} else {
			m.queue.Forget(name)
		}
		m.queue.Done(name)
	}
}

// ensure makes the loop of a CompositeController run with its spec.
func (m *Manager) ensure(ctx context.Context, object *unstructured.Unstructured) error {
	name := object.GetName()
	running, ok := m.loops[name]
	if !m.selector.Matches(labels.Set(object.GetLabels())) {
		m.stop(name)
		return nil
	}
	if ok && reflect.DeepEqual(running.object.Object["spec"], object.Object["spec"]) {
		return nil
	}
	m.stop(name)

	if err := m.checkParent(ctx, object); errors.Is(err, errNoStatus) {
		// Nothing to retry: a change of the CRD does not call us, as with the real program.
		m.config.Recorder.Eventf(object, corev1.EventTypeWarning, "SyncError", "[%s] Sync error - ignoring, %s", name, err)
		m.log.Warn("ignoring a controller", "controller", name, "reason", err)
		return nil
	} else if err != nil {
		return err
	}
	controller, err := composite.New(ctx, object, m.config)
	if err != nil {
		m.config.Recorder.Eventf(object, corev1.EventTypeWarning, "CreateError", "Cannot create new controller: %s", err)
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		controller.Run(ctx)
	}()
	m.loops[name] = loop{object: object, stop: cancel, done: done}
	m.config.Recorder.Eventf(object, corev1.EventTypeNormal, "Started", "Started controller: %s", name)
	return nil
}

// stop stops a loop, if there is one, and waits until it is gone.
func (m *Manager) stop(name string) {
	running, ok := m.loops[name]
	if !ok {
		return
	}
	running.stop()
	<-running.done
	delete(m.loops, name)
	m.log.Info("stopped", "controller", name)
	m.config.Recorder.Eventf(running.object, corev1.EventTypeNormal, "Stopped", "Stopped controller: %s", name)
}

// errNoStatus means that the parent's CRD has no status subresource.
var errNoStatus = errors.New("the CRD of the parent does not have subresource 'Status' enabled")

// checkParent checks that the parent is of a CRD with a status subresource.
func (m *Manager) checkParent(ctx context.Context, object *unstructured.Unstructured) error {
	apiVersion, _, _ := unstructured.NestedString(object.Object, "spec", "parentResource", "apiVersion")
	plural, _, _ := unstructured.NestedString(object.Object, "spec", "parentResource", "resource")
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return fmt.Errorf("apiVersion of the parent: %w", err)
	}
	crds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	crd, err := m.config.Client.Resource(crds).Get(ctx, plural+"."+gv.Group, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get the CRD of the parent: %w", err)
	}
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	for _, item := range versions {
		version, _ := item.(map[string]any)
		_, hasStatus, _ := unstructured.NestedMap(version, "subresources", "status")
		if version["name"] == gv.Version && hasStatus {
			return nil
		}
	}
	return errNoStatus
}
