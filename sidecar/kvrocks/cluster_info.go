package kvrocks

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// NoLayout is the version of a node that was never given a layout.
const NoLayout = -1

// ClusterInfo is what CLUSTER INFO says.
type ClusterInfo struct {
	// Version of the layout; NoLayout when there is none.
	Version int64
	// Outgoing is the last move of slots away from this master, Incoming the last to it; nil when there was none since
	// the process started. A replica never has one.
	Outgoing, Incoming *layout.SlotMove
}

var errNoEpoch = errors.New("the CLUSTER INFO reply has no cluster_current_epoch")

// ParseClusterInfo reads the reply of CLUSTER INFO. Unknown lines are skipped; a version that cannot be read is an error,
// and so is a move in an unknown state: neither may pass for "nothing".
func ParseClusterInfo(text string) (ClusterInfo, error) {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	epoch, ok := fields["cluster_current_epoch"]
	if !ok {
		return ClusterInfo{}, errNoEpoch
	}
	info := ClusterInfo{}
	var err error
	if info.Version, err = strconv.ParseInt(epoch, 10, 64); err != nil {
		return ClusterInfo{}, fmt.Errorf("cluster_current_epoch: %w", err)
	}
	if info.Outgoing, err = move(fields, "migrating_slot", "migrating_state"); err != nil {
		return ClusterInfo{}, err
	}
	if info.Outgoing != nil {
		info.Outgoing.To = fields["destination_node"]
	}
	info.Incoming, err = move(fields, "importing_slot", "import_state")
	return info, err
}

// move reads one end's view. The key of the slots has "(s)" at its end since kvrocks 2.10.
func move(fields map[string]string, slotKey, stateKey string) (*layout.SlotMove, error) {
	text, ok := fields[slotKey+"(s)"]
	if !ok {
		text, ok = fields[slotKey]
	}
	if !ok || text == "-1" {
		return nil, nil
	}
	m := &layout.SlotMove{}
	switch state := fields[stateKey]; state {
	case "none", "":
		return nil, nil
	case "start":
		m.State = layout.MoveRunning
	case "success":
		m.State = layout.MoveSucceeded
	case "fail", "error":
		m.State = layout.MoveFailed
	default:
		return nil, fmt.Errorf("unknown %s %q", stateKey, state)
	}
	var err error
	if m.Slots, err = slots.ParseRange(text); err != nil {
		return nil, fmt.Errorf("%s: %w", slotKey, err)
	}
	return m, nil
}
