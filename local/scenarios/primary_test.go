package scenarios

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A named pod is made master by one planned move under load, and once: after a failover the role stays where it is until the name is
// taken out and written again.
func TestTheNamedPrimaryIsMadeMasterOnce(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	named := "orders-2"
	if s.master("orders") == named {
		named = "orders-1"
	}
	began := time.Now()
	s.patch("orders", `{"spec":{"primary":"`+named+`"}}`)
	s.ready("orders", readyWithin)
	assert.Equal(t, named, s.master("orders"))
	moves := s.moves("orders", began)
	t.Logf("%v, longest write gap %s", moves, w.longestGap(began))
	assert.Len(t, moves, 1)
	s.condition("orders", v1alpha1.ConditionPrimaryPlaced, metav1.ConditionTrue, time.Minute, "PrimaryAsNamed")
	s.agreed("watch", "orders")
	acked := w.finish()
	assert.Empty(t, s.missing(s.direct(named, password), acked), "no acknowledged write may be lost")

	s.forceDelete(named)
	s.another("orders", named)
	s.ready("orders", readyWithin)
	assert.NotEqual(t, named, s.master("orders"))
	s.condition("orders", v1alpha1.ConditionPrimaryPlaced, metav1.ConditionTrue, time.Minute, "PrimaryMovedOn")

	s.patch("orders", `{"spec":{"primary":null}}`)
	s.ready("orders", readyWithin)
	s.patch("orders", `{"spec":{"primary":"`+named+`"}}`)
	s.ready("orders", readyWithin)
	assert.Equal(t, named, s.master("orders"))
	assert.ErrorContains(t, s.tryPatch("orders", `{"spec":{"primary":"orders-7"}}`), "must name a pod of this instance that stays")
}

// The same in each shard of a cluster.
func TestTheNamedPrimariesAreMadeMasters(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.sharded("shards", 2, 1, "")
	w := s.writeCluster("shards", thirds...)
	began := time.Now()
	s.patch("shards", `{"spec":{"primaries":["shards-0-1","shards-2-1"]}}`)
	s.ready("shards", clusterReadyWithin)
	assert.Equal(t, "shards-0-1", s.shardMaster("shards", 0))
	assert.Equal(t, "shards-2-1", s.shardMaster("shards", 2))
	moves := s.moves("shards", began)
	t.Log(moves)
	assert.LessOrEqual(t, len(moves), 2)
	s.nothingLost(t, "shards", w)
	assert.ErrorContains(t, s.tryPatch("shards", `{"spec":{"primaries":["shards-3-0"]}}`), "must name pods of this cluster that stay")
}
