package migration

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// Settings of kvrocks and their values that matter to moves.
const (
	// SettingMigrateType says how keys are moved.
	SettingMigrateType = "migrate-type"
	// MigrateRaw moves what the database holds of a key, as it is.
	MigrateRaw = "raw-key-value"
	// MigrateByCommand makes commands of each key. In kvrocks 2.10.1 it says that it has succeeded and leaves JSON
	// documents behind (measured), and it is four times slower. It alone heeds migrate-speed.
	MigrateByCommand = "redis-command"
)

// paced reports whether the limit of the speed is kept by pauses between the parts, since kvrocks moves raw keys as fast as it can.
// kvrocks 2.17 and later move no others: they know neither migrate-type nor migrate-speed, so the spec's choice counts only where
// every node knows the setting.
func (p *Pass) paced() bool {
	topology := p.view.Topology
	byCommand := topology.Spec.Config[SettingMigrateType] == MigrateByCommand &&
		!slices.Contains(topology.Status.UnknownSettings, SettingMigrateType)
	return p.policy.KeysPerSecond > 0 && !byCommand
}

// rest makes the next part wait as long as so many keys may take.
func (p *Pass) rest(keys int64) {
	p.NextAt = nil
	if !p.paced() || keys <= 0 {
		return
	}
	p.NextAt = p.notBefore(time.Duration(float64(keys) / float64(p.policy.KeysPerSecond) * float64(time.Second)))
}

// resting reports whether the next part must not begin yet.
func (p *Pass) resting() bool {
	if p.NextAt == nil {
		return false
	}
	left := p.NextAt.Sub(p.view.Now)
	if left <= 0 || !p.paced() {
		p.NextAt = nil
		return false
	}
	for i := range p.Entries {
		if m := &p.Entries[i]; m.State == v1alpha1.MigrationRunning && m.Current == "" {
			m.Message = "the next part begins at " + p.NextAt.UTC().Format(time.TimeOnly) + ", as keysPerSecond wants; " + progress(m)
		}
	}
	p.cluster.Ongoing(min(left, period.Wait))
	return true
}
