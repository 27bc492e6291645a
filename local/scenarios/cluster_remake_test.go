package scenarios

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A cluster whose slots have moved and whose masters have changed is deleted, and made again on the volumes that were kept.
func TestAClusterIsMadeAnewOnItsVolumes(t *testing.T) {
	t.Parallel()
	s := begin(t)
	cr := strings.Replace(clusterCR("orders", 3, 2, 1, ""), "reclaim: Delete", "reclaim: Retain", 1)
	s.apply(cr)
	s.settled("orders", "")
	keys := s.fill("orders", slotRange{0, slotCount - 1}, 1, 16)
	s.patch("orders", `{"spec":{"migrate":[{"shard":2,"slots":["0-999","5000"]}]}}`)
	s.migrated("orders", 2)
	first := s.shardMaster("orders", 0)
	s.deletePods(first)
	s.anotherOf("orders", 0, first)
	s.settled("orders", "")
	before := s.shownSlots("orders")

	s.remove("orders")
	s.removed("orders")
	left, err := s.kube.CoreV1().Pods(s.namespace).List(s.ctx, metav1.ListOptions{LabelSelector: v1alpha1.LabelInstance + "=orders"})
	require.NoError(t, err)
	require.Empty(t, left.Items, "an instance is gone when its pods are")
	began := time.Now()
	s.apply(cr)
	s.settled("orders", "")
	t.Logf("made again within %s: %v", time.Since(began).Round(100*time.Millisecond), s.shownSlots("orders"))
	assert.Equal(t, before, s.shownSlots("orders"))
	s.event("orders", "the volumes remember a cluster of 3 shards")
	s.holds("orders", keys, 16)
}

// shownSlots is which slots are on which shard with which master, as people are told.
func (s *scenario) shownSlots(name string) []string {
	s.Helper()
	cr, err := s.kvrocks(name)
	require.NoError(s, err)
	return cr.Status.SlotMap
}
