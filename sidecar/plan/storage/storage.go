// Package storage says what is known of the volume of a node: how full it is, and why a master takes no writes.
package storage

// Disk is the file system that holds a node's data, in bytes. The zero value means that nothing is known of it.
type Disk struct {
	Capacity, Used int64
	// Database is what the data takes of it, and MaxDatabase what it may take (max-db-size); 0 is no limit.
	Database, MaxDatabase int64
}

// Refusal is why a master takes no writes. PING is answered meanwhile.
type Refusal string

// The refusals.
const (
	// RefusalNoSpace: the volume is full.
	RefusalNoSpace Refusal = "NoSpace"
	// RefusalMaxSize: the database has reached max-db-size.
	RefusalMaxSize Refusal = "MaxSize"
)

// memtable is what kvrocks writes at once when a memtable is full (rocksdb.write_buffer_size by default, in bytes).
const memtable = 64 << 20

// Percent returns how full the file system is, rounded down; 0 when that is not known.
func (d Disk) Percent() int32 {
	if d.Capacity <= 0 {
		return 0
	}
	return int32(float64(d.Used) / float64(d.Capacity) * 100)
}

// Full reports whether there is no room for what kvrocks writes at once, or, on a small volume, for a hundredth of it.
func (d Disk) Full() bool {
	return d.Capacity > 0 && d.Capacity-d.Used < min(memtable, d.Capacity/100)
}

// AlmostFull reports whether writes may be refused soon, or are: whether they are shows only by writing.
func (d Disk) AlmostFull() bool {
	full := d.Capacity > 0 && d.Capacity-d.Used < min(8*memtable, d.Capacity/20)
	return full || d.MaxDatabase > 0 && d.Database >= d.MaxDatabase/20*19
}
