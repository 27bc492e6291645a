package contract

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInfoTellsTheDisk(t *testing.T) {
	t.Parallel()
	n := startNode(t, nil)
	capacity, err := strconv.ParseInt(n.info("keyspace", "disk_capacity"), 10, 64)
	require.NoError(t, err)
	used, err := strconv.ParseInt(n.info("keyspace", "used_disk_size"), 10, 64)
	require.NoError(t, err)
	assert.Positive(t, capacity)
	assert.Less(t, used, capacity)
	assert.Contains(t, n.do("INFO"), "used_disk_percent: ")
}

// TestAFullVolumeRefusesWritesAndAnswersPing fills a small volume: source of the fact is src/server/redis_connection.cc and
// RocksDB's error of a failed append, which is the reply. The database starts on it, and a file takes what is left.
func TestAFullVolumeRefusesWritesAndAnswersPing(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=192m"); err != nil {
		t.Skipf("a volume of its own needs root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	n := startNode(t, options{"dir": dir, "rocksdb.write_buffer_size": "4", "rocksdb.max_total_wal_size": "8"})
	n.must("SET", "k", "v")
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	require.NoError(t, err)
	chunk := make([]byte, 256<<10)
	for err == nil {
		_, err = f.Write(chunk)
	}
	require.NoError(t, f.Close())
	value := strings.Repeat("x", 64<<10)
	require.Eventually(t, func() bool {
		return strings.Contains(n.do("SET", "big", value), "No space left on device")
	}, 30*time.Second, 20*time.Millisecond)
	assert.Equal(t, "PONG", n.do("PING"))
	assert.Contains(t, n.do("PUBLISH", "channel", value), "No space left on device")
	assert.Equal(t, "v", n.do("GET", "k"))
}
