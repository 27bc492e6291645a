package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
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
func (c *clusterPass) paced() bool {
	return c.keysPerSecond() > 0 && c.in.Topology.Spec.Config[SettingMigrateType] != MigrateByCommand
}

// rest makes the next part wait as long as so many keys may take.
func (c *clusterPass) rest(keys int64) {
	c.nextMoveAt = nil
	if !c.paced() || keys <= 0 {
		return
	}
	c.nextMoveAt = c.notBefore(time.Duration(float64(keys) / float64(c.keysPerSecond()) * float64(time.Second)))
}

// resting reports whether the next part must not begin yet.
func (c *clusterPass) resting() bool {
	if c.nextMoveAt == nil {
		return false
	}
	left := c.nextMoveAt.Sub(c.now)
	if left <= 0 || !c.paced() {
		c.nextMoveAt = nil
		return false
	}
	for i := range c.migrations {
		if m := &c.migrations[i]; m.State == v1alpha1.MigrationRunning && m.Current == "" {
			m.Message = "the next part begins at " + c.nextMoveAt.UTC().Format(time.TimeOnly) + ", as keysPerSecond wants; " + progress(m)
		}
	}
	c.ongoingIn = min(left, againWait)
	return true
}
