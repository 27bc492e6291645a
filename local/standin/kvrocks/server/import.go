package server

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/cluster"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

// What CLUSTER IMPORT tells the destination of a migration.
const (
	importStart = iota
	importSuccess
	importFailed
)

// imports is the destination's side of a migration. The last result stays until the next one.
type imports struct {
	mu    sync.Mutex
	slots cluster.Range
	state string // "", start, success, error
}

// running returns the slots being imported.
func (im *imports) running() cluster.Range {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.state != "start" {
		return cluster.NoRange
	}
	return im.slots
}

func (im *imports) describe(out *strings.Builder) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.state != "" {
		spacedField(out, "importing_slot(s)", im.slots)
		spacedField(out, "import_state", im.state)
	}
}

// cmdImport answers CLUSTER IMPORT slots state, which a source sends over the connection that then brings the data.
func (s *Server) cmdImport(c *client, args []string) error {
	if len(args) != 4 {
		return errArguments
	}
	r, err := cluster.ParseRange(args[2])
	if err != nil {
		return refuse(err.Error())
	}
	state, err := strconv.Atoi(args[3])
	if err != nil || state < importStart || state > importFailed {
		return refuse("Invalid import state")
	}
	if s.isNotMaster() {
		return refuse("Slave can't import slot")
	}
	for slot := r.Start; slot <= r.End; slot++ {
		if n := s.topology.Slots[slot]; n != nil && n.ID == s.topology.MyID {
			return refuse("Can't import slot which belongs to me")
		}
	}
	if err := s.importState(c, r, state); err != nil {
		return err
	}
	return replyOK(c, args)
}

func (s *Server) importState(c *client, r cluster.Range, state int) error {
	im := &s.imports
	im.mu.Lock()
	defer im.mu.Unlock()
	if state == importStart {
		if im.state == "start" && im.slots != r {
			return refuse("only one importing job is allowed, current importing: " + im.slots.String())
		}
		if im.state != "start" {
			if err := s.clearRange(r); err != nil {
				return err
			}
		}
		im.state, im.slots = "start", r
		c.importing.Store(true)
		s.topology.Myself.Importing = r
		s.migration.allow(r)
		return nil
	}
	if im.slots != r || im.state == "" {
		return refuse(fmt.Sprintf("mismatch slot, importing slot(s): %s, but got: %s", im.slots, r))
	}
	if state == importFailed {
		im.state = "error"
		return s.clearRange(r)
	}
	im.state = "success"
	for slot := r.Start; slot <= r.End; slot++ {
		s.topology.Imported[slot] = true
	}
	return nil
}

// importLost ends an import whose source has gone.
func (s *Server) importLost() {
	im := &s.imports
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.state != "start" {
		return
	}
	im.state = "error"
	if s.isSlave() {
		return // its data is the new master's now
	}
	if err := s.clearRange(im.slots); err != nil {
		s.log.Error("Failed to clear the imported slots", "slots", im.slots.String(), "err", err)
	}
}

func (s *Server) clearRange(r cluster.Range) error {
	var slots []int
	for slot := r.Start; slot <= r.End; slot++ {
		slots = append(slots, slot)
	}
	return s.clearSlots(slots)
}

// clearSlots deletes the keys of some slots; that takes one sequence number, however much it hits.
func (s *Server) clearSlots(slots []int) error {
	if len(slots) == 0 {
		return nil
	}
	var ops []store.Op
	for _, slot := range slots {
		ops = append(ops, store.Op{store.OpClearSlot, strconv.Itoa(slot)})
	}
	return s.update(func(store.Reader) ([]store.Op, uint64) { return ops, 1 })
}

func (s *Server) isEmpty() bool {
	empty := true
	s.store.View(func(r store.Reader) {
		r.Keys("", "", func(string, *store.Value) bool {
			empty = false
			return false
		})
	})
	return empty
}

// cmdApply takes one change of a migrated key: _apply key count operation...
func (s *Server) cmdApply(c *client, args []string) error {
	count, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return errNotInteger
	}
	if err := s.update(func(store.Reader) ([]store.Op, uint64) { return []store.Op{args[3:]}, count }); err != nil {
		return err
	}
	return replyOK(c, args)
}
