package scenarios

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

const (
	// concurrentUpgrades is the default of the sidecar's --concurrent-upgrades.
	concurrentUpgrades = 2
	nextVersionImage   = "ghcr.io/kvrocks/kvrocks-operator:next-version"
	// otherImage is the image of version 2.10.1 under its other name on the local cluster.
	otherImage = "docker.io/apache/kvrocks:latest"
)

// A new version of the operator makes other pods of other images. It runs alone, because it changes
// the hook server.
func TestANewVersionOfTheOperatorRollsAFewInstancesAtATime(t *testing.T) {
	s := begin(t)
	names := []string{"carts", "mails", "orders", "users", "watch"}
	s.apply(sentinelCR("watch", 3) + "---" + standardCR("orders", 2, "watch") + "---" + standardCR("users", 1, "") +
		"---" + standardCR("carts", 1, "") + "---" + standardCR("mails", 1, ""))
	before := map[string]map[string]corev1.Pod{}
	for _, name := range names {
		s.ready(name, 2*readyWithin)
		before[name] = s.pods(name)
	}
	s.agreed("watch", "orders")
	w := s.write("orders-master", password)

	s.loadNext(nextVersionImage,
		edit{"hooks/pod_spec.go", "\tplace(&template.Spec, placement, selector)\n", fmt.Sprintf("\tplace(&template.Spec, placement, selector)\n\ttemplate.Annotations[%q] = \"next\"\n", nextLabel)},
		edit{"api/v1alpha1/defaults.go", `"` + v1alpha1.DefaultKVRocksImage + `"`, `"` + otherImage + `"`})
	seen, began := s.watchUpgrade(), time.Now()
	s.replaceHooks(nextVersionImage)
	for _, name := range names {
		s.eventually(name+" has the pods of the new version and has settled", 3*readyWithin, func() error {
			for pod := range before[name] {
				if now, ok := s.pods(name)[pod]; name != "watch" && (!ok || now.Annotations[nextLabel] != "next") {
					return fmt.Errorf("%s has not been replaced", pod)
				}
			}
			for _, pod := range s.pods(name) {
				if pod.Annotations[nextLabel] != "next" {
					return fmt.Errorf("%s is of the former version", pod.Name)
				}
			}
			progressing, err := s.conditionNow(name, v1alpha1.ConditionProgressing)
			if err == nil && progressing.Reason != "Settled" {
				err = fmt.Errorf("%s is %s: %s", progressing.Type, progressing.Reason, progressing.Message)
			}
			return err
		})
		s.ready(name, readyWithin)
	}
	seen.stop()
	acked := w.finish()
	t.Logf("upgraded within %s: %s", time.Since(began).Round(time.Second), seen)

	assert.LessOrEqual(t, seen.most, concurrentUpgrades, "instances upgraded at the same time: %v", seen.together)
	assert.GreaterOrEqual(t, len(seen.waited), len(names)-concurrentUpgrades, "instances that were Ready and said UpgradePending: %v", seen.waited)
	for pod, uids := range seen.pods {
		assert.Len(t, uids, 2, "%s is replaced once", pod)
	}
	assert.Len(t, s.moves("orders", began), 1)
	assert.Empty(t, s.missing(s.direct(s.master("orders"), password), acked), "no acknowledged write may be lost")
	s.agreed("watch", "orders")

	t.Run("the images of running instances stay", func(t *testing.T) {
		s := s.part(t)
		s.patch("users", `{"spec":{"podAnnotations":{"example.com/rolled":"now"}}}`)
		s.annotated("users", "example.com/rolled", "now")
		s.ready("users", readyWithin)
		for _, name := range names {
			image := v1alpha1.DefaultKVRocksImage
			if name == "watch" {
				image = v1alpha1.DefaultSentinelImage
			}
			cr, err := s.kvrocks(name)
			require.NoError(t, err)
			assert.Equal(t, image, cr.Status.Image)
			for _, pod := range s.pods(name) {
				assert.Equal(t, image, pod.Spec.Containers[0].Image, pod.Name)
			}
		}
	})
	t.Run("a new instance has the new default", func(t *testing.T) {
		s := s.part(t)
		s.apply(standardCR("fresh", 1, ""))
		s.ready("fresh", readyWithin)
		cr, err := s.kvrocks("fresh")
		require.NoError(t, err)
		assert.Equal(t, otherImage, cr.Status.Image)
	})
}

// upgradeSeen is what was seen of an upgrade of the operator until stop was called.
type upgradeSeen struct {
	stop     func()
	most     int                           // instances that were upgraded at the same time
	together []string                      // which these were
	waited   map[string]bool               // instances that were Ready and said that they wait
	pods     map[string]map[types.UID]bool // which pods there were of each name of a StatefulSet
}

func (u *upgradeSeen) String() string {
	return fmt.Sprintf("at most %v at the same time; %v waited", u.together, slices.Sorted(maps.Keys(u.waited)))
}

// watchUpgrade looks at all instances of the namespace again and again.
func (s *scenario) watchUpgrade() *upgradeSeen {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	u := &upgradeSeen{waited: map[string]bool{}, pods: map[string]map[types.UID]bool{}}
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			if err := s.lookAtUpgrade(u); err != nil && ctx.Err() == nil {
				s.Errorf("look at the upgrade: %v", err)
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
	})
	u.stop = func() { cancel(); group.Wait() }
	s.Cleanup(u.stop)
	return u
}

// lookAtUpgrade counts an instance as being upgraded from its first pod with the new template to the moment at which all of
// them have it and are ready.
func (s *scenario) lookAtUpgrade(u *upgradeSeen) error {
	pods, err := s.kube.CoreV1().Pods(s.namespace).List(s.ctx, metav1.ListOptions{LabelSelector: v1alpha1.LabelManagedBy + "=" + v1alpha1.ManagedByValue})
	if err != nil {
		return err
	}
	former, next, unready := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range pods.Items {
		pod := &pods.Items[i]
		instance := pod.Labels[v1alpha1.LabelInstance]
		isNext := pod.Annotations[nextLabel] == "next"
		former[instance], next[instance] = former[instance] || !isNext, next[instance] || isNext
		if !isReady(pod) || pod.DeletionTimestamp != nil {
			unready[instance] = true
		}
		if pod.Labels[v1alpha1.LabelComponent] == v1alpha1.ComponentData {
			if u.pods[pod.Name] == nil {
				u.pods[pod.Name] = map[types.UID]bool{}
			}
			u.pods[pod.Name][pod.UID] = true
		}
	}
	var together []string
	for instance := range former {
		if unready[instance] || former[instance] && next[instance] {
			together = append(together, instance)
		}
	}
	if len(together) > u.most {
		slices.Sort(together)
		u.most, u.together = len(together), together
	}
	list, err := s.dyn.Resource(kvrocksResource).Namespace(s.namespace).List(s.ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, item := range list.Items {
		var cr v1alpha1.KVRocks
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(item.Object, &cr); err != nil {
			return err
		}
		progressing := meta.FindStatusCondition(cr.Status.Conditions, v1alpha1.ConditionProgressing)
		if progressing != nil && progressing.Reason == "UpgradePending" && meta.IsStatusConditionTrue(cr.Status.Conditions, v1alpha1.ConditionReady) {
			u.waited[cr.Name] = true
		}
	}
	return nil
}
