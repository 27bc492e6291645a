package kvrocksconf

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Settings that say how much of the memory and of the volume kvrocks takes, in MiB.
const (
	settingBlockCache    = "rocksdb.block_cache_size"
	settingMetadataCache = "rocksdb.metadata_block_cache_size"
	settingSubkeyCache   = "rocksdb.subkey_block_cache_size"
	settingWriteBuffer   = "rocksdb.write_buffer_size"
	settingKeptWAL       = "rocksdb.wal_size_limit_mb"
	settingLiveWAL       = "rocksdb.max_total_wal_size"
)

// Defaults of kvrocks, in MiB. With them a small pod is killed as soon as its cache is warm, and a small volume is full of
// old WAL.
const (
	defaultHalfCache   = 2048 // of metadata and of subkeys each
	defaultWriteBuffer = 64
	defaultKeptWAL     = 16384
	defaultLiveWAL     = 512
)

// derivedSettings returns the sizes, in MiB, that follow from spec.resources and spec.storage where kvrocksConfig does not give them; none
// where there is no limit to fit into, or where kvrocks' default fits. They stand in kvrocks.conf and take effect when a
// pod starts. When the limits change every pod is restarted anyway, so they need no place in the hash of the template, and a
// new version of the operator restarts nothing because of them. A volume that grows restarts nothing either: the limit of live WAL is
// applied to running nodes (see LiveOfVolume), and that of kept WAL, which kvrocks reads only when it starts, waits until the pod starts for
// another reason.
//
// A third of the memory goes to the block cache, and a quarter to memtables: up to four for each of the three column families
// that writes fill (metadata, subkeys, scores of sorted sets). The rest is for the process itself (about 30 MiB), connections,
// compactions and what the allocator wastes. A tenth of the volume goes to WAL that is kept for replicas, and as much to WAL of
// what is not flushed yet.
func derivedSettings(spec *v1alpha1.KVRocksSpec) map[string]string {
	derived := map[string]int64{}
	if memory := memoryLimit(spec); memory > 0 {
		if !configured(spec, settingMetadataCache) && !configured(spec, settingSubkeyCache) {
			derived[settingBlockCache] = min(memory/3, 2*defaultHalfCache)
		}
		derived[settingWriteBuffer] = min(memory/4/12, defaultWriteBuffer)
	}
	if volume := volumeSize(spec); volume > 0 {
		derived[settingKeptWAL] = min(volume/10, defaultKeptWAL)
		derived[settingLiveWAL] = min(volume/10, defaultLiveWAL)
	}
	settings := map[string]string{}
	for setting, size := range derived {
		if !configured(spec, setting) {
			settings[setting] = strconv.FormatInt(max(size, 1), 10)
		}
	}
	return settings
}

// LiveOfVolume returns the settings that follow from the size of the volumes and are applied to running nodes when these grow.
func LiveOfVolume(spec *v1alpha1.KVRocksSpec) map[string]string {
	size, ok := derivedSettings(spec)[settingLiveWAL]
	if !ok || spec.Storage == nil {
		return nil
	}
	return map[string]string{settingLiveWAL: size}
}

// configured reports whether kvrocksConfig holds a setting.
func configured(spec *v1alpha1.KVRocksSpec, setting string) bool {
	_, found := spec.KVRocksConfig[setting]
	return found
}

const mebibyte = 1 << 20

// memoryLimit returns the limit of a pod's memory in MiB; 0 when there is none.
func memoryLimit(spec *v1alpha1.KVRocksSpec) int64 {
	if spec.Resources == nil {
		return 0
	}
	return spec.Resources.Limits.Memory().Value() / mebibyte
}

// volumeSize returns the size in MiB of the volume, or what an emptyDir may take before the pod is evicted; 0 when nothing limits it.
func volumeSize(spec *v1alpha1.KVRocksSpec) int64 {
	switch {
	case spec.Storage != nil:
		return spec.Storage.Size.Value() / mebibyte
	case spec.Resources != nil:
		limit := spec.Resources.Limits[corev1.ResourceEphemeralStorage]
		return limit.Value() / mebibyte
	}
	return 0
}

// checkSizes refuses sizes in kvrocksConfig that cannot fit.
func checkSizes(spec *v1alpha1.KVRocksSpec) string {
	if spec.Type == v1alpha1.TypeSentinel {
		return ""
	}
	memory, volume := memoryLimit(spec), volumeSize(spec)
	cache, setting := sizeOr(spec, settingBlockCache, 0), settingBlockCache
	if cache == 0 && (configured(spec, settingMetadataCache) || configured(spec, settingSubkeyCache)) {
		setting = settingMetadataCache + " and " + settingSubkeyCache
		cache = sizeOr(spec, settingMetadataCache, defaultHalfCache) + sizeOr(spec, settingSubkeyCache, defaultHalfCache)
	}
	for _, size := range []struct {
		setting           string
		wants, most, room int64
		of                string
	}{
		{setting, cache, memory * 3 / 4, memory, "memory limit"},
		{settingWriteBuffer, sizeOr(spec, settingWriteBuffer, 0), memory / 4, memory, "memory limit"},
		{settingKeptWAL, sizeOr(spec, settingKeptWAL, 0), volume / 2, volume, "volume"},
		{settingLiveWAL, sizeOr(spec, settingLiveWAL, 0), volume / 2, volume, "volume"},
	} {
		if size.room > 0 && size.wants > size.most {
			return fmt.Sprintf("kvrocksConfig: %s of %d MiB do not fit into the %s of %d MiB; write at most %d, leave it out for a size that fits, or raise the %s",
				size.setting, size.wants, size.of, size.room, size.most, size.of)
		}
	}
	return ""
}

// sizeOr returns the size, in MiB, that kvrocksConfig holds; otherwise for none, and for what kvrocks would refuse.
func sizeOr(spec *v1alpha1.KVRocksSpec, setting string, otherwise int64) int64 {
	if size, err := strconv.ParseInt(string(spec.KVRocksConfig[setting]), 10, 32); err == nil {
		return size
	}
	return otherwise
}
