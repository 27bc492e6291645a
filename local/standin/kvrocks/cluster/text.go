package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Served is a run of slots with one node.
type Served struct {
	Range
	Node *Node
}

// Runs returns the served slots in order.
func (t *Topology) Runs() []Served {
	var runs []Served
	for slot, n := range t.Slots {
		switch {
		case n == nil:
		case len(runs) > 0 && runs[len(runs)-1].Node == n && runs[len(runs)-1].End == slot-1:
			runs[len(runs)-1].End = slot
		default:
			runs = append(runs, Served{Range{slot, slot}, n})
		}
	}
	return runs
}

// slotsByID returns each node's slots as text.
func (t *Topology) slotsByID() map[string]string {
	text := map[string]string{}
	for _, run := range t.Runs() {
		text[run.Node.ID] = strings.TrimLeft(text[run.Node.ID]+" "+run.String(), " ")
	}
	return text
}

// Describe returns the CLUSTER NODES text. now is in Unix milliseconds; moves is added to this node's line. ok is false
// where the real program crashes.
func (t *Topology) Describe(now int64, moves string) (text string, ok bool) {
	var out strings.Builder
	byID := t.slotsByID()
	for _, id := range slices.Sorted(maps.Keys(t.Nodes)) {
		n := t.Nodes[id]
		if n == nil {
			return "", false
		}
		fmt.Fprintf(&out, "%s %s@%d ", n.ID, n.Addr(), n.Port+busPortOffset)
		if n.ID == t.MyID {
			out.WriteString("myself,")
		}
		out.WriteString(n.role())
		fmt.Fprintf(&out, " %d %d %d connected", now-1, now, t.Version)
		if n.Master && byID[n.ID] != "" {
			out.WriteString(" " + byID[n.ID])
		}
		if n.ID == t.MyID {
			out.WriteString(moves)
		}
		out.WriteString("\n")
	}
	return out.String(), true
}

func (n *Node) role() string {
	if n.Master {
		return "master -"
	}
	return "slave " + n.MasterID
}

// File returns the text of nodes.conf.
func (t *Topology) File() string {
	var out strings.Builder
	fmt.Fprintf(&out, "version %d\nid %s\n", t.Version, t.MyID)
	byID := t.slotsByID()
	for _, id := range slices.Sorted(maps.Keys(t.Nodes)) {
		if n := t.Nodes[id]; n != nil {
			fmt.Fprintf(&out, "node %s %s %d %s %s\n", n.ID, n.Host, n.Port, n.role(), byID[n.ID])
		}
	}
	return out.String()
}

// ParseFile reads nodes.conf.
func ParseFile(text string) (id, nodes string, version int64, err error) {
	version = -1
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case value == "":
		case key == "version":
			if version, err = strconv.ParseInt(value, 10, 64); err != nil {
				return "", "", 0, ErrVersion
			}
		case key == "id":
			if id = value; len(id) != IDLength {
				return "", "", 0, ErrNodeID
			}
		case key == "node":
			nodes += value + "\n"
		default:
			return "", "", 0, refusef("unknown key: %s", key)
		}
	}
	return id, nodes, version, nil
}
