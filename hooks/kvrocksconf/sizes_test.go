package kvrocksconf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// The defaults of kvrocks are a block cache of 4 GiB and 16 GiB of WAL.
func TestSizesFollowFromTheLimits(t *testing.T) {
	for name, test := range map[string]struct {
		memory, volume, ephemeral string
		config                    v1alpha1.KVRocksConfig
		want                      map[string]string
	}{
		"nothing limits them": {want: map[string]string{}},
		"of our examples": {memory: "512Mi", volume: "1Gi", want: map[string]string{
			settingBlockCache: "170", settingWriteBuffer: "10", settingKeptWAL: "102", settingLiveWAL: "102",
		}},
		"of a large machine": {memory: "64Gi", volume: "1Ti", want: map[string]string{
			settingBlockCache: "4096", settingWriteBuffer: "64", settingKeptWAL: "16384", settingLiveWAL: "512",
		}},
		"of an emptyDir": {ephemeral: "2Gi", want: map[string]string{settingKeptWAL: "204", settingLiveWAL: "204"}},
		"what is given stands": {
			memory: "1Gi", volume: "10Gi",
			config: v1alpha1.KVRocksConfig{settingBlockCache: "500", settingKeptWAL: "2000"},
			want:   map[string]string{settingWriteBuffer: "21", settingLiveWAL: "512"},
		},
		"the cache in halves": {
			memory: "1Gi", config: v1alpha1.KVRocksConfig{settingMetadataCache: "100", settingSubkeyCache: "200"},
			want: map[string]string{settingWriteBuffer: "21"},
		},
		"never nothing": {memory: "16Mi", volume: "5Mi", want: map[string]string{
			settingBlockCache: "5", settingWriteBuffer: "1", settingKeptWAL: "1", settingLiveWAL: "1",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := sized(test.memory, test.volume, test.ephemeral, test.config)
			assert.Equal(t, test.want, derivedSettings(spec))
			assert.Empty(t, Check(spec))
		})
	}
}

func TestSizesThatCannotFitAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		memory, volume string
		config         v1alpha1.KVRocksConfig
		want           string
	}{
		"cache": {
			"512Mi", "",
			v1alpha1.KVRocksConfig{settingBlockCache: "4096"},
			"rocksdb.block_cache_size of 4096 MiB do not fit into the memory limit of 512 MiB; write at most 384",
		},
		"half of the cache": {"1Gi", "", v1alpha1.KVRocksConfig{settingSubkeyCache: "100"}, "of 2148 MiB do not fit"},
		"write buffer":      {"512Mi", "", v1alpha1.KVRocksConfig{settingWriteBuffer: "256"}, "write at most 128"},
		"kept WAL":          {"", "1Gi", v1alpha1.KVRocksConfig{settingKeptWAL: "16384"}, "do not fit into the volume of 1024 MiB"},
		"live WAL":          {"", "1Gi", v1alpha1.KVRocksConfig{settingLiveWAL: "600"}, "write at most 512"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := Check(sized(test.memory, test.volume, "", test.config))
			require.Len(t, problems, 1)
			assert.Contains(t, problems[0], test.want)
		})
	}
}

func sized(memory, volume, ephemeral string, config v1alpha1.KVRocksConfig) *v1alpha1.KVRocksSpec {
	spec := &v1alpha1.KVRocksSpec{
		Type: v1alpha1.TypeStandard, KVRocksConfig: config,
		Resources: &corev1.ResourceRequirements{Limits: corev1.ResourceList{}},
	}
	if memory != "" {
		spec.Resources.Limits[corev1.ResourceMemory] = resource.MustParse(memory)
	}
	if ephemeral != "" {
		spec.Resources.Limits[corev1.ResourceEphemeralStorage] = resource.MustParse(ephemeral)
	}
	if volume != "" {
		spec.Storage = &v1alpha1.Storage{Size: resource.MustParse(volume)}
	}
	return spec
}
