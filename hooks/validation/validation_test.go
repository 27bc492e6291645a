package validation

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/hookstest"
)

// The first line of each file is a comment with a part of the message; see TestWrongCRsAreReportedAndNothingIsLost of package hooks.
func TestWrongCRsAreRefused(t *testing.T) {
	files, err := filepath.Glob("../testdata/wrong/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), "podtemplate-") {
			continue // package podtemplate says what is wrong there
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			first, _, _ := strings.Cut(string(raw), "\n")
			_, message, _ := strings.Cut(first, ": ")
			cr := hookstest.ReadCR(t, raw)
			assert.Contains(t, Check(cr, cr.Spec.WithDefaults(), Observed{}), message)
		})
	}
}

func TestExamplesAndOlderCRsAreValid(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	require.NoError(t, err)
	older, err := filepath.Glob("../../examples/legacy/*.yaml")
	require.NoError(t, err)
	require.Len(t, older, 3)
	for _, file := range append(files, older...) {
		t.Run(file, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			cr := hookstest.ReadCR(t, raw)
			assert.Empty(t, Check(cr, cr.Spec.WithDefaults(), Observed{}))
		})
	}
}

func TestWhatCannotBeChangedOnALiveInstance(t *testing.T) {
	const tenGi = "10Gi"
	set := &appsv1.StatefulSet{}
	set.Spec.Template.Spec.Containers = []corev1.Container{{Name: v1alpha1.ContainerKVRocks, Ports: []corev1.ContainerPort{{ContainerPort: 6379}}}}
	claim := corev1.PersistentVolumeClaim{}
	claim.Name = v1alpha1.VolumeData
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(tenGi)}
	set.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{claim}
	topology := &v1alpha1.KVRocksTopology{}
	topology.Spec.Type, topology.Spec.PasswordSecret = v1alpha1.TypeStandard, &v1alpha1.SecretKeyRef{Name: "demo-auth", Key: "password"}
	live := Observed{Topology: topology, DataSet: set, Volumes: v1alpha1.VolumeSizes{Data: new(resource.MustParse(tenGi))}}

	for message, edit := range map[string]func(*v1alpha1.KVRocksSpec){
		"":                             func(*v1alpha1.KVRocksSpec) {},
		"spec.type cannot be changed":  func(s *v1alpha1.KVRocksSpec) { s.Type, s.Storage = v1alpha1.TypeSentinel, nil },
		"port cannot be changed":       func(s *v1alpha1.KVRocksSpec) { s.KVRocksConfig = v1alpha1.KVRocksConfig{"port": "6390"} },
		"password cannot be removed":   func(s *v1alpha1.KVRocksSpec) { s.Password = "" },
		"storage cannot be added":      func(s *v1alpha1.KVRocksSpec) { s.Storage = nil },
		"storage.size cannot become s": func(s *v1alpha1.KVRocksSpec) { s.Storage.Size = resource.MustParse("9Gi") },
	} {
		t.Run(message, func(t *testing.T) {
			cr := &v1alpha1.KVRocks{Spec: v1alpha1.KVRocksSpec{
				Type: v1alpha1.TypeStandard, Password: "secret", Storage: &v1alpha1.Storage{Size: resource.MustParse(tenGi)},
			}}
			cr.Name = "demo"
			edit(&cr.Spec)
			problem := Check(cr, cr.Spec.WithDefaults(), live)
			if message == "" {
				assert.Empty(t, problem)
				return
			}
			assert.Contains(t, problem, message)
		})
	}
}
