package plan

import (
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// lagNoise is the lag, in sequence numbers, below which it is not reported: nodes are not observed at the same
// instant, and a busy master is some thousand writes further by the time the next one answers.
const lagNoise = 10_000

// SameReport reports whether report b says the same as report a, which came before it, but for noise: the sequences of the nodes
// while they grow slowly, and a lag that is small or has not even doubled or halved. An instance that is idle, or busy and
// healthy, thus causes hardly any API write.
func SameReport(a, b v1alpha1.KVRocksTopologyStatus) bool {
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
	if !sameLag(a.Lag, b.Lag) || b.Role != "" && !sameSequence(a.Sequence, b.Sequence) || !a.BehindSince.Equal(b.BehindSince) {
		return false
	}
	a.BehindSince, b.BehindSince = nil, nil
	a.Lag, b.Lag, a.Sequence, b.Sequence = 0, 0, 0, 0
	return a == b
}

func sameLag(a, b int64) bool {
	a, b = max(a, lagNoise), max(b, lagNoise)
	return a < 2*b && b < 2*a
}

// sameSequence reports whether the sequence before still tells an old copy of the volume from the volume: it has not fallen,
// as it does after a full sync, nor grown by more than a quarter.
func sameSequence(before, now int64) bool {
	return now >= before && now-before <= max(before/4, lagNoise)
}
