package server

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/cluster"
)

// migration is the source's side: one job at a time, and the result of the last one.
type migration struct {
	stop atomic.Bool // cancels the running job, or the next one if none runs

	mu        sync.Mutex
	slots     cluster.Range // of the running job
	forbidden cluster.Range // not written: being handed over, or handed over
	failed    cluster.Range
	to        string // node id
	state     string // "", start, success, fail
}

func (m *migration) running() cluster.Range {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.slots
}

func (m *migration) forbids(slot int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.forbidden.Contains(slot)
}

// allow ends the ban on slots that come back.
func (m *migration) allow(r cluster.Range) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.forbidden == r {
		m.forbidden = cluster.NoRange
	}
}

func (m *migration) describe(out *strings.Builder) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.slots.Valid() && !m.forbidden.Valid() && !m.failed.Valid() {
		return
	}
	r := map[string]cluster.Range{"start": m.slots, "success": m.forbidden, "fail": m.failed}[m.state]
	spacedField(out, "migrating_slot(s)", r)
	spacedField(out, "destination_node", m.to)
	spacedField(out, "migrating_state", m.state)
}

// spacedField writes a line of CLUSTER INFO about a move, which has a space after the colon unlike the others.
func spacedField(out *strings.Builder, name string, value any) {
	fmt.Fprintf(out, "%s: %v\r\n", name, value)
}

// moves is what CLUSTER NODES adds to this node's own line.
func (s *Server) moves() string {
	out := ""
	if r := s.migration.running(); r.Valid() {
		out += fmt.Sprintf(" [%s->-%s]", r, s.migration.to)
	}
	if r := s.imports.running(); r.Valid() {
		from := ""
		if n := s.topology.Slots[r.Start]; n != nil {
			from = n.ID
		}
		out += fmt.Sprintf(" [%s-<-%s]", r, from)
	}
	return out
}

// begin books the job.
func (m *migration) begin(r cluster.Range, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.slots.Valid() {
		return refuse("There is already a migrating job")
	}
	if r.Overlaps(m.forbidden) {
		return refuse("Can't migrate slot which has been migrated")
	}
	m.slots, m.to, m.state = r, to, "start"
	return nil
}

// cmdMigrate answers CLUSTERX MIGRATE slots node [ASYNC | SYNC [timeout]].
func (s *Server) cmdMigrate(c *client, args []string) error {
	if len(args) < 4 || len(args) > 6 {
		return errArguments
	}
	r, err := cluster.ParseRange(args[2])
	if err != nil {
		return refuse(err.Error())
	}
	wait, timeout, err := parseMigrateMode(args[4:])
	if err != nil {
		return err
	}
	to := s.topology.Nodes[args[3]]
	if err := s.checkMigration(r, to); err != nil {
		return err
	}
	if err := s.migration.begin(r, to.ID); err != nil {
		return err
	}
	s.log.Info("[migrate] Start migrating slot(s)", "slots", r.String(), "to", to.Addr())
	done := make(chan error, 1)
	go func() { done <- s.migrate(r, to.Addr()) }()
	if !wait {
		return replyOK(c, args)
	}
	// The answer waits for the job, but the guard must not.
	c.after = func() { awaitMigration(c, done, timeout) }
	return nil
}

func awaitMigration(c *client, done <-chan error, timeout time.Duration) {
	var expired <-chan time.Time
	if timeout > 0 {
		expired = time.After(timeout)
	}
	select {
	case err := <-done:
		if err != nil {
			c.WriteError(errorLine(refuse(err.Error())))
			return
		}
		c.WriteString("OK")
	case <-expired:
		c.WriteNull()
	}
}

func parseMigrateMode(words []string) (wait bool, timeout time.Duration, err error) {
	if len(words) == 0 {
		return false, 0, nil
	}
	switch strings.ToLower(words[0]) {
	case "async":
		if len(words) == 2 {
			return false, 0, refuse("Async migration does not support timeout")
		}
		return false, 0, nil
	case "sync":
		if len(words) == 1 {
			return true, 0, nil
		}
		seconds, err := strconv.Atoi(words[1])
		if err != nil {
			return false, 0, refuse("timeout is not an integer or out of range")
		}
		if seconds < 0 {
			return false, 0, refuse("timeout is negative")
		}
		return true, time.Duration(seconds) * time.Second, nil
	}
	return false, 0, refuse("Invalid sync flag")
}

func (s *Server) checkMigration(r cluster.Range, to *cluster.Node) error {
	t := s.topology
	if to == nil {
		return refuse("Can't find the destination node id")
	}
	moved := cluster.NoRange
	for slot := range t.Migrated {
		if !moved.Valid() {
			moved = cluster.Range{Start: slot, End: slot}
		}
		moved.Start, moved.End = min(moved.Start, slot), max(moved.End, slot)
	}
	if r.Overlaps(moved) {
		return refuse("Can't migrate slot which has been migrated")
	}
	for slot := r.Start; slot <= r.End; slot++ {
		if t.Slots[slot] != t.Myself {
			return refuse("Can't migrate slot which doesn't belong to me")
		}
	}
	switch {
	case s.isNotMaster():
		return refuse("Slave can't migrate slot")
	case !to.Master:
		return refuse("Can't migrate slot to a slave")
	case to == t.Myself:
		return refuse("Can't migrate slot to myself")
	}
	return nil
}

var errCanceled = errors.New("key migration stopped due to a task cancellation")

// migrate runs a job to its end and books the result.
func (s *Server) migrate(r cluster.Range, addr string) error {
	m := &s.migration
	err := s.carry(r, addr)
	if err == nil {
		s.log.Info("[migrate] Succeed to migrate slot(s)", "slots", r.String())
	} else {
		s.log.Error("[migrate] Failed to migrate slot(s)", "slots", r.String(), "err", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.state, m.failed = "success", cluster.NoRange
	} else {
		m.state, m.failed, m.forbidden = "fail", r, cluster.NoRange
	}
	m.slots = cluster.NoRange
	m.stop.Store(false)
	return err
}

// carry sends the keys of the slots and what is written to them meanwhile, bans writes for the rest, and hands over.
func (s *Server) carry(r cluster.Range, addr string) error {
	out, err := s.dialImport(r, addr)
	if err != nil {
		return err
	}
	defer func() { _ = out.conn.Close() }()
	if err := s.carryData(r, out); err != nil {
		s.allowWrites()
		failed := out.ask("cluster", "import", r.String(), itoa(importFailed))
		return errors.Join(err, failed)
	}
	s.guard.Lock()
	defer s.guard.Unlock()
	for slot := r.Start; slot <= r.End; slot++ {
		s.topology.Migrated[slot] = addr
	}
	return nil
}

func (s *Server) allowWrites() {
	s.migration.mu.Lock()
	defer s.migration.mu.Unlock()
	s.migration.forbidden = cluster.NoRange
}

func (s *Server) carryData(r cluster.Range, out *carrier) error {
	next, err := out.sendSnapshot(s, r)
	if err != nil {
		return fmt.Errorf("send snapshot: %w", err)
	}
	gap := uint64(s.cfg.Number("migrate-sequence-gap"))
	for s.store.Sequence()+1 > next+gap {
		if next, err = out.sendLog(s, r, next, s.store.Sequence()); err != nil {
			return fmt.Errorf("sync from the log: %w", err)
		}
	}
	s.guard.Lock()
	s.migration.mu.Lock()
	s.migration.forbidden = r
	s.migration.mu.Unlock()
	s.guard.Unlock()
	if _, err = out.sendLog(s, r, next, s.store.Sequence()); err != nil {
		return fmt.Errorf("sync the last of the log: %w", err)
	}
	if s.migration.stop.Load() {
		return errCanceled
	}
	return out.ask("cluster", "import", r.String(), itoa(importSuccess))
}

// cancelMigration waits until no job runs, unless it should give up. A job that is not running is canceled as well: the
// next one fails.
func (s *Server) cancelMigration(giveUp func() bool) {
	s.migration.stop.Store(true)
	for s.migration.running().Valid() && !giveUp() {
		time.Sleep(time.Millisecond)
	}
}
