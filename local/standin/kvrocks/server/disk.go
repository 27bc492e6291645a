package server

import (
	"fmt"
	"strings"
	"syscall"
)

// spare is the space below which the volume counts as full: the real program fails when it cannot append to its log, and may
// have prepared some space for that.
const spare = 1 << 20

// disk returns the size of the file system that holds the data and what of it is used, in bytes, as what is not root sees it
// (src/server/server.cc of 2.10.1, GetInfo).
func (s *Server) disk() (capacity, used int64, known bool) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(s.cfg.Text("dir"), &stat); err != nil {
		return 0, 0, false
	}
	block := stat.Frsize
	return int64(stat.Blocks) * block, int64(stat.Blocks-stat.Bavail) * block, true
}

func (s *Server) infoDisk(out *strings.Builder) {
	capacity, used, known := s.disk()
	if !known {
		return
	}
	field(out, "disk_capacity", capacity)
	field(out, "used_disk_size", used)
	fmt.Fprintf(out, "used_disk_percent: %v%%\r\n", float64(used*100)/float64(capacity))
}

// refusesWrite returns why a write is refused for want of space, nil when it is not. PING is answered meanwhile. A message counts
// as a write of the log, and not of the database (src/server/redis_connection.cc of 2.10.1).
func (s *Server) refusesWrite(cmd *command) error {
	if cmd.flags&write == 0 && cmd.name != "publish" {
		return nil
	}
	if most := s.cfg.Number("max-db-size"); most > 0 && s.store.Size() >= int64(most)<<30 && cmd.name != "del" && cmd.name != "publish" {
		return refuse("write command not allowed when reached max-db-size.")
	}
	return s.noSpace()
}

// noSpace returns what RocksDB says when it cannot append to its log.
func (s *Server) noSpace() error {
	if capacity, used, known := s.disk(); known && capacity-used < spare {
		return refuse("IO error: No space left on device: While appending to file: " + s.cfg.Text("dir") + "/db/000004.log: No space left on device")
	}
	return nil
}
