package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
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
	logDefault = "info"
	logQuiet   = "warning"
)

// moveSettings are the settings that a node has while it moves slots. Those of the spec stay, but for the speed.
func (p *pass) moveSettings(a plan.MoveSlots) map[string]string {
	settings := map[string]string{plan.SettingMigrateType: plan.MigrateRaw, settingLog: logQuiet}
	if a.KeysPerSecond == 0 {
		settings[settingRate] = rateMost
	}
	maps.DeleteFunc(settings, func(name, _ string) bool { return p.topology.Spec.Config[name] != "" })
	settings[settingSpeed] = strconv.Itoa(int(a.KeysPerSecond))
	return settings
}

// moveSlots begins a move with its settings. What was set before is put back when the move has ended.
func (p *pass) moveSlots(ctx context.Context, a plan.MoveSlots) error {
	n := p.inst.nodes[a.Pod]
	if n == nil {
		return fmt.Errorf("node %s: %w", a.Pod, errGone)
	}
	wanted := p.moveSettings(a)
	return n.session.do(p.inst.credentials.passwords, func(c DataNode) error {
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
			n.putBack(name, before)
		}
		return c.MigrateSlots(ctx, a.Slots, a.ToID)
	})
}

// putBack remembers a value for when the move has ended, unless there is an older one.
func (n *node) putBack(name, value string) {
	if n.before == nil {
		n.before = map[string]string{}
	}
	if _, ok := n.before[name]; !ok {
		n.before[name] = value
	}
}

// restoreSettings puts the settings back on the nodes whose move has ended.
func (p *pass) restoreSettings(ctx context.Context) {
	var wg sync.WaitGroup
	for _, n := range p.inst.nodes {
		if len(n.before) == 0 || n.seen.Reach != plan.Answered || n.seen.Cluster == nil {
			continue
		}
		if move := n.seen.Cluster.Outgoing; move != nil && move.State == plan.MoveRunning {
			continue
		}
		wg.Go(func() {
			err := n.session.do(p.inst.credentials.passwords, func(c DataNode) error {
				for _, name := range slices.Sorted(maps.Keys(n.before)) {
					if err := c.ConfigSet(ctx, name, n.before[name]); err != nil {
						return err
					}
				}
				return nil
			})
			if err == nil {
				n.before = nil
			}
		})
	}
	wg.Wait()
}
