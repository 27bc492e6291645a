package reconcile

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// longestPass is what no pass should take: the slowest one changes the role of every node of a large instance, each within
// kvrocks.DefaultRoleTimeout.
const longestPass = 5 * time.Minute

// running knows which passes are under way and since when.
type running struct {
	mu    sync.Mutex
	since map[types.NamespacedName]time.Time
}

func newRunning() *running { return &running{since: map[types.NamespacedName]time.Time{}} }

func (r *running) begin(key types.NamespacedName, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since[key] = at
}

func (r *running) end(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.since, key)
}

// stuck describes a pass that has been running for longer than any should; empty when there is none.
func (r *running) stuck(now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, since := range r.since {
		if took := now.Sub(since); took > longestPass {
			return fmt.Sprintf("the pass of %s has been running for %v", key, took.Round(time.Second))
		}
	}
	return ""
}
