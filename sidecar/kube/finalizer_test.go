package kube

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func TestTheOlderOperatorsFinalizerIsTakenOffLast(t *testing.T) {
	const ours, others = "metacontroller.io/compositecontroller-kvrocks", "example.com/backup"
	for name, c := range map[string]struct {
		deleted    bool
		finalizers []string
		want       []string
	}{
		"alive":                      {false, []string{legacyFinalizer}, []string{legacyFinalizer}},
		"our hook has not let it go": {true, []string{legacyFinalizer, ours}, []string{legacyFinalizer, ours}},
		"nothing else holds it":      {true, []string{legacyFinalizer}, []string{}},
		"the finalizer of another program is kept": {true, []string{others, legacyFinalizer}, []string{others}},
		"it never had the older one":               {true, []string{others}, []string{others}},
	} {
		t.Run(name, func(t *testing.T) {
			cr := &metav1.PartialObjectMetadata{
				TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion().String(), Kind: "KVRocks"},
				ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders", Finalizers: c.finalizers},
			}
			if c.deleted {
				cr.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
			}
			scheme := runtime.NewScheme()
			require.NoError(t, metav1.AddMetaToScheme(scheme))
			client := fake.NewSimpleMetadataClient(scheme)
			instances := v1alpha1.GroupVersion().WithResource("kvrocks")
			require.NoError(t, client.Tracker().Create(instances, cr.DeepCopy(), "shop"))
			store := cache.NewStore(cache.MetaNamespaceKeyFunc)
			require.NoError(t, store.Add(cr))
			f := &finalizers{client: client, stores: []cache.Store{store}, log: slog.New(slog.DiscardHandler)}
			f.pass(t.Context())
			left, err := client.Resource(instances).Namespace("shop").
				Get(t.Context(), "orders", metav1.GetOptions{})
			require.NoError(t, err)
			assert.ElementsMatch(t, c.want, left.Finalizers)
		})
	}
}
