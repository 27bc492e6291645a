package reconcile

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/migration"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/release"
)

const (
	// settingSpeed limits the keys per second of a move; 0 is no limit. A move takes the value that it finds at its beginning.
	settingSpeed = "migrate-speed"
	// settingRate limits the megabytes per second of a move of raw keys. 0 makes kvrocks 2.10.1 crash (measured).
	settingRate = "migrate-batch-rate-limit-mb"
	rateMost    = "1024"
	// settingLog is the least severe level that is logged. At the default one kvrocks 2.10 writes a line with the key for
	// every key that it moves by commands, which fills the log of the pod and takes up to a third of the speed.
	settingLog = "log-level"
	logQuiet   = "warning"
)

// ownSettings returns what the settings that a move changes are without one: what the spec says, else the default of the
// node's release. So they can be put back by a leader that has not seen the move begin. A name that is absent has no
// other value than what a move needs.
//
// Only the defaults of the releases that run are known: kvrocks began to move raw keys by default with 2.13, and an
// unreleased build, which tells no number, does so.
func ownSettings(version string, spec map[string]string) map[string]string {
	own := map[string]string{settingSpeed: "4096", settingRate: "16", settingLog: "info"}
	if release.Older(version, "2.13") {
		own[migration.SettingMigrateType] = migration.MigrateByCommand
	}
	for name := range own {
		if value := spec[name]; value != "" {
			own[name] = value
		}
	}
	return own
}

// leftByMove lists, by name, what has to be set on a node that has the settings have once no slots leave it: those that a
// move has changed. The speed is a move's own, whatever it is; other values than those of a move are a person's.
func leftByMove(have map[string]string, version string, spec map[string]string) map[string]string {
	left := map[string]string{}
	moved := map[string]string{migration.SettingMigrateType: migration.MigrateRaw, settingRate: rateMost, settingLog: logQuiet}
	for name, own := range ownSettings(version, spec) {
		value, known := have[name]
		if known && value != own && (name == settingSpeed || value == moved[name] && spec[name] == "") {
			left[name] = own
		}
	}
	return left
}

// moveSettings returns the settings that a node has while it moves slots. Those of the spec stay, but for the speed.
func (p *applier) moveSettings(a action.MoveSlots) map[string]string {
	settings := map[string]string{migration.SettingMigrateType: migration.MigrateRaw, settingLog: logQuiet}
	if a.KeysPerSecond == 0 {
		settings[settingRate] = rateMost
	}
	maps.DeleteFunc(settings, func(name, _ string) bool { return p.topology.Spec.Config[name] != "" })
	settings[settingSpeed] = strconv.Itoa(int(a.KeysPerSecond))
	return settings
}

// moveSlots begins a move with its settings. The node's own are put back when the move has ended.
func (p *applier) moveSlots(ctx context.Context, n *node, a action.MoveSlots) error {
	wanted, own := p.moveSettings(a), ownSettings(n.seen.Version, p.topology.Spec.Config)
	return n.session.Do(p.inst.credentials.Passwords(), func(c conn.DataNode) error {
		have, err := c.ConfigGet(ctx, "*")
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(wanted)) {
			before, ok := have[name]
			if !ok || before == wanted[name] {
				continue
			}
			if err := c.ConfigSet(ctx, name, wanted[name]); err != nil {
				return err
			}
			if value, known := own[name]; known {
				n.putBack(name, value)
			}
		}
		return c.MigrateSlots(ctx, a.Slots, a.ToID)
	})
}

// putBack remembers a setting of the node's own for when the move has ended. A leader that has not begun the move learns it from
// the settings that it reads.
func (n *node) putBack(name, value string) {
	if n.own == nil {
		n.own = map[string]string{}
	}
	n.own[name] = value
}

// restoreSettings puts the settings back on the nodes whose move has ended.
func (p *pass) restoreSettings(ctx context.Context) {
	var wg sync.WaitGroup
	for _, n := range p.inst.nodes {
		if len(n.own) == 0 || n.seen.Reach != plan.Answered || n.seen.Cluster == nil {
			continue
		}
		if move := n.seen.Cluster.Outgoing; move != nil && move.State == layout.MoveRunning {
			continue
		}
		wg.Go(func() {
			err := n.session.Do(p.inst.credentials.Passwords(), func(c conn.DataNode) error {
				for _, name := range slices.Sorted(maps.Keys(n.own)) {
					if err := c.ConfigSet(ctx, name, n.own[name]); err != nil {
						return err
					}
				}
				return nil
			})
			if err == nil {
				n.own = nil
			}
		})
	}
	wg.Wait()
}
