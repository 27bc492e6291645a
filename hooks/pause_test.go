package hooks

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// pause holds planned changes, or has them go on. It changes no generation.
func (w *world) pause(held bool) {
	w.cr = w.cr.DeepCopy()
	delete(w.cr.Annotations, v1alpha1.AnnotationPaused)
	if held {
		metav1.SetMetaDataAnnotation(&w.cr.ObjectMeta, v1alpha1.AnnotationPaused, v1alpha1.PausedValue)
	}
}

// Whatever is edited while an instance is paused, nothing but the topology's word of the pause changes; then it is carried out.
func TestAPausedInstanceIsLeftAsItIs(t *testing.T) {
	for _, file := range []string{"standard-full.yaml", "cluster-minimal.yaml", "sentinel-minimal.yaml"} {
		for name, edit := range map[string]func(*v1alpha1.KVRocks){
			"image":    func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage },
			"replicas": func(cr *v1alpha1.KVRocks) { cr.Spec.Replicas = 5 },
			"fewer":    func(cr *v1alpha1.KVRocks) { cr.Spec.Replicas = 1; fewestSentinels(cr) },
			"labels":   func(cr *v1alpha1.KVRocks) { cr.Spec.PodAnnotations = map[string]string{"example.org/a": "b"} },
		} {
			t.Run(file+" "+name, func(t *testing.T) {
				w := settled(t, example(t, file))
				w.pause(true)
				w.settle()
				assert.True(t, w.topology().Spec.Paused)
				assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionReady).Status, "it is paused and as it should be")
				assert.Equal(t, v1alpha1.PhasePaused, w.cr.Status.Phase)

				before, carriedOut := w.fingerprintOfChildren(), w.topology().Spec.ParentGeneration
				w.change(edit)
				w.settle()
				assert.Equal(t, before, w.fingerprintOfChildren())
				assert.Equal(t, carriedOut, w.topology().Spec.ParentGeneration)
				if name != "fewer" || w.cr.Spec.Type != v1alpha1.TypeSentinel {
					ready := w.condition(v1alpha1.ConditionReady)
					assert.Equal(t, metav1.ConditionFalse, ready.Status)
					assert.Contains(t, ready.Message, fmt.Sprintf("generation %d of the spec is not carried out", w.cr.Generation))
				}
				assert.Equal(t, v1alpha1.ReasonPaused, w.condition(v1alpha1.ConditionProgressing).Reason)
				assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionPaused).Status)

				w.pause(false)
				w.settle()
				assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
				assert.False(t, w.topology().Spec.Paused)
				assert.Equal(t, w.cr.Generation, w.topology().Spec.ParentGeneration)
				assert.Nil(t, meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionPaused))
			})
		}
	}
}

// fewestSentinels: one sentinel would be refused.
func fewestSentinels(cr *v1alpha1.KVRocks) {
	if cr.Spec.Type == v1alpha1.TypeSentinel {
		cr.Spec.Replicas = 3
	}
}

func TestAPauseInTheMiddleOfARollIsSaid(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
	w.sync()
	w.controller()
	w.sync()
	w.pause(true)
	w.sync()
	ready := w.condition(v1alpha1.ConditionReady)
	assert.Equal(t, metav1.ConditionFalse, ready.Status)
	assert.Contains(t, ready.Message, "a change is held in the middle of it")
	w.pause(false)
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
}

func TestAPausedInstanceThatIsNotMadeIsNotMade(t *testing.T) {
	w := newWorld(t, example(t, "standard-minimal.yaml"))
	w.pause(true)
	w.settle()
	assert.Nil(t, w.topology())
	assert.Contains(t, w.cr.Status.Reason, "nothing is made")
	w.pause(false)
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
}

// kvrocks-controller's processes are replaced when the sidecar asks for it: a failover may need that.
func TestKvrocksControllerIsReplacedInAPausedInstance(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	w.pause(true)
	w.settle()
	w.topology().Status.ControllerEpoch = 3
	w.settle()
	assert.Equal(t, "3", w.seen.Deployments["shop/shards-controller"].Spec.Template.Annotations[annotationEpoch])
}
