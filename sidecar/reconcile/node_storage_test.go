package reconcile

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
)

func TestMasterWithLittleRoomIsAskedByAWrite(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	n := w.node("orders-0")
	n.info.Role = kvrocks.RoleMaster
	pass := func() plan.Node {
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
		w.clock = w.clock.Add(w.options.Period)
		return w.seen[len(w.seen)-1].Nodes["orders-0"]
	}
	n.info.DiskCapacity, n.info.DiskUsed = 100<<30, 50<<30
	pass()
	assert.NotContains(t, w.journal.take(), "10.0.6.0 marker", "there is room")

	n.info.DiskUsed = n.info.DiskCapacity
	assert.Empty(t, pass().Refusal, "it takes writes still")
	assert.Contains(t, w.journal.take(), "10.0.6.0 marker")
	n.fail = func(what string) error {
		if what == "marker" {
			return &kvrocks.Error{Op: "SET", Kind: kvrocks.ErrNoSpace, Text: "ERR IO error: No space left on device"}
		}
		return nil
	}
	seen := pass()
	assert.Equal(t, storage.RefusalNoSpace, seen.Refusal)
	assert.Equal(t, plan.Answered, seen.Reach, "it answers all else")
	n.info.DiskUsed = 0
	assert.Empty(t, pass().Refusal)
}

func TestTrailOfAMasterEndsWithItsRole(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	n := w.node("orders-0")
	n.info.Role = kvrocks.RoleMaster
	pass := func() int64 {
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
		w.clock = w.clock.Add(10 * time.Second)
		return w.seen[len(w.seen)-1].Nodes["orders-0"].SequenceBefore
	}
	for i := range 12 {
		n.info.Sequence = uint64(100 + i)
		n.info.Uptime = time.Duration(i) * 10 * time.Second
		if before := pass(); i >= 6 {
			assert.Equal(t, int64(100+i-6), before, "what it had a minute ago")
		} else {
			assert.Zero(t, before)
		}
	}
	n.info.Role = kvrocks.RoleReplica
	assert.Zero(t, pass())
	n.info.Role = kvrocks.RoleMaster
	assert.Zero(t, pass(), "it was none meanwhile")
}
