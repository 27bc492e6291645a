// Package report says which reports need not be written, and reads the layout of a cluster in one.
package report

import (
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lag"
	"k8s.io/apimachinery/pkg/api/equality"
)

// Same reports whether report b says the same as report a, which came before it, but for noise: the sequences of the nodes
// while they grow slowly, and a lag that is small or has not even doubled or halved. An instance that is idle, or busy and
// healthy, thus causes hardly any API write.
func Same(a, b v1alpha1.KVRocksTopologyStatus) bool {
	if len(a.Shards) != len(b.Shards) {
		return false
	}
	for i := range a.Shards {
		if !sameShard(a.Shards[i], b.Shards[i]) {
			return false
		}
	}
	a.Shards, b.Shards = nil, nil
	return equality.Semantic.DeepEqual(a, b)
}

func sameShard(a, b v1alpha1.TopologyShardStatus) bool {
	if !slices.EqualFunc(a.Nodes, b.Nodes, sameNode) {
		return false
	}
	a.Nodes, b.Nodes = nil, nil
	return equality.Semantic.DeepEqual(a, b)
}

func sameNode(a, b v1alpha1.TopologyNode) bool {
	if !lag.Same(a.Lag, b.Lag) || b.Role != "" && !lag.SameSequence(a.Sequence, b.Sequence) || !a.BehindSince.Equal(b.BehindSince) {
		return false
	}
	a.BehindSince, b.BehindSince = nil, nil
	a.Lag, b.Lag, a.Sequence, b.Sequence = 0, 0, 0, 0
	return a == b
}
