package server

import (
	"fmt"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/cluster"
)

// route refuses a command whose keys this node does not serve, with the place that does.
func (s *Server) route(c *client, cmd *command, args []string) error {
	keys := commandKeys(cmd, args)
	if !s.cfg.Flag("cluster-enabled") || len(keys) == 0 {
		return nil
	}
	slot := cluster.KeySlot(keys[0])
	for _, key := range keys[1:] {
		if cluster.KeySlot(key) != slot {
			return errCrossSlot
		}
	}
	t := s.topology
	me, owner := t.Myself, t.Slots[slot]
	if owner == nil {
		return errNotServed
	}
	moved := refusal(fmt.Sprintf("MOVED %d %s", slot, owner.Addr()))
	if me == nil {
		return moved
	}
	switch {
	case me == owner:
		if to, gone := t.Migrated[slot]; gone {
			return refusal(fmt.Sprintf("MOVED %d %s", slot, to))
		}
		if cmd.flags&write != 0 && s.migration.forbids(slot) {
			return errForbidden
		}
		return nil
	case me.Importing.Contains(slot) && (c.importing.Load() || c.asking),
		t.Imported[slot],
		!me.Master && cmd.flags&write == 0 && c.readOnly && t.Nodes[me.MasterID] == owner:
		return nil
	}
	return moved
}
