package scenarios

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// fieldCR is a file of examples/field, with what its first line says of its end.
type fieldCR struct {
	file, text, end string
	instances       []string
}

func fieldCRs(t *testing.T) []fieldCR {
	t.Helper()
	files, err := filepath.Glob("../../examples/field/*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 20)
	all := make([]fieldCR, len(files))
	for i, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		first, _, _ := strings.Cut(string(raw), "\n")
		all[i] = fieldCR{file: file, text: string(raw), end: strings.TrimPrefix(first, "# ")}
		for _, part := range strings.Split(string(raw), "kind: KVRocks\nmetadata:\n  name: ")[1:] {
			name, _, _ := strings.Cut(part, "\n")
			all[i].instances = append(all[i].instances, name)
		}
		require.NotEmpty(t, all[i].instances, file)
	}
	return all
}

// What people write first ends Ready, or in a message that names what is in the way.
func TestCRsOfTheFieldEndReadyOrInAMessage(t *testing.T) {
	t.Parallel()
	s := begin(t)
	crs := fieldCRs(t)
	for _, cr := range crs {
		who, message, refused := strings.Cut(cr.end, ": ")
		switch {
		case refused && who == "admission":
			require.ErrorContains(t, s.tryApply(cr.text), message, cr.file)
		case !strings.Contains(cr.text, "kind: ResourceQuota"):
			s.apply(cr.text)
		}
	}
	for _, cr := range crs {
		for _, name := range cr.instances {
			who, message, refused := strings.Cut(cr.end, ": ")
			switch {
			case refused && who == "admission" || strings.Contains(cr.text, "kind: ResourceQuota"):
			case refused:
				c := s.condition(name, v1alpha1.ConditionReady, metav1.ConditionFalse, readyWithin, "InvalidSpec")
				assert.Contains(t, c.Message, message, cr.file)
			case cr.end == "Ready":
				s.ready(name, clusterReadyWithin)
			case cr.end == "UnknownSettings":
				s.ready(name, readyWithin)
				c := s.condition(name, v1alpha1.ConditionConfigApplied, metav1.ConditionTrue, readyWithin, cr.end)
				assert.Contains(t, c.Message, "appendonly, hz, maxmemory, maxmemory-policy")
			default:
				s.eventually(name+" says "+cr.end, readyWithin, func() error {
					c, err := s.conditionNow(name, v1alpha1.ConditionReady)
					if err == nil && !strings.Contains(c.Message, cr.end) {
						err = errors.New(c.Message)
					}
					return err
				})
			}
		}
	}
}

// The quota is of a namespace, so this one has its own.
func TestAnInstanceBelowAQuotaOfLimitsIsReady(t *testing.T) {
	t.Parallel()
	s := begin(t)
	for _, cr := range fieldCRs(t) {
		if strings.Contains(cr.text, "kind: ResourceQuota") {
			s.apply(cr.text)
			s.ready(cr.instances[0], clusterReadyWithin)
		}
	}
}
