package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// TestAMasterWhoseVolumeIsFullHandsOver: a volume that fills up is told before it is full. When the master cannot write, it hands
// over to a replica that has room, and nothing that was acknowledged is lost.
func TestAMasterWhoseVolumeIsFullHandsOver(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(strings.Replace(standardCR("orders", 2, ""), "size: 1Gi,", "size: 1Gi, warnPercent: 80,", 1))
	s.ready("orders", readyWithin)
	roomy := s.master("orders")
	small := others(s, "orders", roomy)[0]
	s.smallVolume(roomy, 1<<30) // how full this machine's disk is decides nothing
	dir := s.smallVolume(small, 512<<20)
	s.forceDelete(small)
	s.ready("orders", readyWithin)
	s.deletePods(roomy)
	require.Equal(t, small, s.replaced("orders", roomy))
	w := s.write("orders-master", password)

	fill(t, dir, 0.85)
	near := s.condition("orders", v1alpha1.ConditionStorageHealthy, metav1.ConditionFalse, time.Minute, "VolumeNearlyFull")
	assert.Contains(t, near.Message, small)
	s.event("orders", "VolumeNearlyFull")
	s.condition("orders", v1alpha1.ConditionPrimaryAvailable, metav1.ConditionTrue, time.Minute)
	require.Equal(t, small, s.master("orders"))

	fill(t, dir, 1)
	c, value := s.direct(small, password), strings.Repeat("x", 1<<20)
	for i := range 512 { // RocksDB has taken the room for its log ahead
		if c.Set(s.ctx, fmt.Sprint("big:", i), value, 0).Err() != nil {
			break
		}
	}
	s.another("orders", small)
	s.resumed(w, time.Now(), time.Minute)
	assert.Equal(t, v1alpha1.CauseHandover, s.journal("orders").Cause)
	s.event("orders", "VolumeFull")
	s.condition("orders", v1alpha1.ConditionPrimaryAvailable, metav1.ConditionTrue, time.Minute)
	s.condition("orders", v1alpha1.ConditionStorageHealthy, metav1.ConditionFalse, time.Minute, "VolumeFull")

	require.NoError(t, os.Remove(filepath.Join(dir, ballast)))
	s.condition("orders", v1alpha1.ConditionStorageHealthy, metav1.ConditionTrue, time.Minute)
	s.ready("orders", readyWithin)
	require.Equal(t, roomy, s.master("orders"))
	assert.Empty(t, s.missing(s.direct(roomy, password), w.finish()))
}

// smallVolume puts an empty file system of some bytes over the volume of a pod, for the processes that are started from now on.
// It returns its directory on this machine.
func (s *scenario) smallVolume(pod string, size int64) string {
	s.Helper()
	claim, err := s.kube.CoreV1().PersistentVolumeClaims(s.namespace).Get(s.ctx, "data-"+pod, metav1.GetOptions{})
	require.NoError(s, err)
	volume, err := s.kube.CoreV1().PersistentVolumes().Get(s.ctx, claim.Spec.VolumeName, metav1.GetOptions{})
	require.NoError(s, err)
	require.NotNil(s, volume.Spec.HostPath, "the volume is not a directory of this machine")
	dir := volume.Spec.HostPath.Path
	info, err := os.Stat(dir)
	require.NoError(s, err)
	require.NoError(s, syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", size)))
	s.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	owner := info.Sys().(*syscall.Stat_t)
	require.NoError(s, os.Chown(dir, int(owner.Uid), int(owner.Gid)))
	require.NoError(s, os.Chmod(dir, info.Mode().Perm()))
	return dir
}

// ballast is the file that takes the room.
const ballast = "ballast"

// fill takes so much of a file system that a part of it is used.
func fill(t *testing.T, dir string, part float64) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, ballast), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	block := make([]byte, 1<<20)
	for {
		var stat syscall.Statfs_t
		require.NoError(t, syscall.Statfs(dir, &stat))
		if float64(stat.Blocks-stat.Bfree) >= part*float64(stat.Blocks) {
			return
		}
		n := min(uint64(len(block)), stat.Bfree*uint64(stat.Bsize))
		_, err := file.Write(block[:n])
		if errors.Is(err, syscall.ENOSPC) {
			return // the node took the rest
		}
		require.NoError(t, err)
	}
}
