package storage_test

import (
	"testing"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
	"github.com/stretchr/testify/assert"
)

func TestDisk(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		name             string
		disk             storage.Disk
		percent          int32
		full, almostFull bool
	}{
		{"nothing is known", storage.Disk{}, 0, false, false},
		{"half", storage.Disk{Capacity: 10 * gib, Used: 5 * gib}, 50, false, false},
		{"a hundredth of a large one is much", storage.Disk{Capacity: 1000 * gib, Used: 995 * gib}, 99, false, false},
		{"less than a few memtables", storage.Disk{Capacity: 100 * gib, Used: 100*gib - 256<<20}, 99, false, true},
		{"less than a memtable", storage.Disk{Capacity: 100 * gib, Used: 100*gib - 32<<20}, 99, true, true},
		{"a small one may be filled", storage.Disk{Capacity: 64 << 20, Used: 60 << 20}, 93, false, false},
		{"to the end", storage.Disk{Capacity: 64 << 20, Used: 64 << 20}, 100, true, true},
		{"near max-db-size", storage.Disk{Capacity: 100 * gib, Used: gib, Database: 96 * gib / 10, MaxDatabase: 10 * gib}, 1, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.percent, c.disk.Percent())
			assert.Equal(t, c.full, c.disk.Full(), "full")
			assert.Equal(t, c.almostFull, c.disk.AlmostFull(), "almost full")
		})
	}
}
