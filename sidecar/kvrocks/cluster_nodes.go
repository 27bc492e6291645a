package kvrocks

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// ClusterNodes is a layout in the form in which nodes tell and take it. It takes little room, because there are many nodes, and all
// say the same.
type ClusterNodes struct {
	// Version of the layout.
	Version int64
	// MyID is the id of the node that answered; empty when the layout does not have it.
	MyID string
	// lines in the order of the reply, which says nothing.
	lines []nodeLine
}

// nodeLine is one node of a layout.
type nodeLine struct {
	id   string
	host string
	port int
	// masterID is the id of a replica's master; empty for a master.
	masterID string
	// slots of a master: a list and not a set, because most nodes have few ranges.
	slots []slots.Range
}

// NodesOf returns a layout in this form.
func NodesOf(l *layout.Layout) ClusterNodes {
	c := ClusterNodes{Version: l.Version}
	for i := range l.Shards {
		s := &l.Shards[i]
		master := ""
		if m := s.Master(); m != nil {
			master = m.ID
		}
		for _, n := range s.Nodes {
			line := nodeLine{id: n.ID, host: n.Address, port: int(n.Port)}
			if n.Master {
				line.slots = s.Slots.Ranges()
			} else {
				line.masterID = master
			}
			c.lines = append(c.lines, line)
		}
	}
	return c
}

// Key returns a text that is the same for equal layouts, in whatever order they are told; empty when no node is named.
func (c *ClusterNodes) Key() string {
	if len(c.lines) == 0 {
		return ""
	}
	return fmt.Sprint(c.Version, c.sorted())
}

// Layout returns the layout in the order of kvrocks-controller: shards by their first slot, those without slots last, and the master
// first. Nil when no node is named.
func (c *ClusterNodes) Layout() *layout.Layout {
	if len(c.lines) == 0 {
		return nil
	}
	l := &layout.Layout{Version: c.Version}
	index := map[string]int{} // of the shard by the id of its master
	lines := c.sorted()
	for _, n := range lines {
		if n.masterID == "" {
			index[n.id] = len(l.Shards)
			l.Shards = append(l.Shards, layout.Shard{Nodes: []layout.Node{n.node()}, Slots: slots.Of(n.slots...)})
		}
	}
	for _, n := range lines {
		if i, ok := index[n.masterID]; ok {
			l.Shards[i].Nodes = append(l.Shards[i].Nodes, n.node())
		}
	}
	return l
}

func (n nodeLine) node() layout.Node {
	return layout.Node{ID: n.id, Address: n.host, Port: int32(n.port), Master: n.masterID == ""}
}

// sorted returns the lines by first slot, those without slots last, then by the ids of master and node; each with its slots in order.
func (c *ClusterNodes) sorted() []nodeLine {
	lines := slices.SortedFunc(slices.Values(c.lines), func(a, b nodeLine) int {
		return cmp.Or(cmp.Compare(a.firstSlot(), b.firstSlot()), strings.Compare(a.masterID, b.masterID), strings.Compare(a.id, b.id))
	})
	for i := range lines {
		slices.SortFunc(lines[i].slots, func(a, b slots.Range) int { return a.First - b.First })
	}
	return lines
}

func (n nodeLine) firstSlot() int {
	first := slots.Count
	for _, r := range n.slots {
		first = min(first, r.First)
	}
	return first
}

const nodeIDLength = 40

// Fields of a line of CLUSTER NODES. The slots come last.
const (
	nodeID = iota
	nodeAddress
	nodeFlags
	nodeMaster
	_ // ping sent
	_ // pong received
	nodeEpoch
	_ // link, which kvrocks always calls connected
	nodeSlots
)

// ParseClusterNodes reads the reply of CLUSTER NODES. Anything that is not understood is an error: half a layout would
// look like a node or slots that were taken away.
func ParseClusterNodes(text string) (ClusterNodes, error) {
	var all ClusterNodes
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if err := all.line(fields); err != nil {
			return ClusterNodes{}, fmt.Errorf("line %q: %w", strings.TrimSpace(line), err)
		}
	}
	if len(all.lines) == 0 {
		return ClusterNodes{}, errors.New("the CLUSTER NODES reply names no node")
	}
	return all, nil
}

func (c *ClusterNodes) line(fields []string) error {
	if len(fields) < nodeSlots {
		return errors.New("too few fields")
	}
	n := nodeLine{id: fields[nodeID]}
	if len(n.id) != nodeIDLength {
		return errors.New("the id has not 40 characters")
	}
	var err error
	if n.host, n.port, err = busAddress(fields[nodeAddress]); err != nil {
		return err
	}
	version, err := strconv.ParseInt(fields[nodeEpoch], 10, 64)
	if err != nil {
		return fmt.Errorf("version: %w", err)
	}
	if len(c.lines) > 0 && version != c.Version {
		return errors.New("two versions")
	}
	c.Version = version
	master := false
	for flag := range strings.SplitSeq(fields[nodeFlags], ",") {
		switch flag {
		case "myself":
			c.MyID = n.id
		case "master":
			master = true
		}
	}
	if !master {
		n.masterID = fields[nodeMaster]
		if len(n.masterID) != nodeIDLength {
			return errors.New("a replica of nobody")
		}
	}
	for _, field := range fields[nodeSlots:] {
		if strings.HasPrefix(field, "[") {
			continue // a move under way
		}
		r, err := slots.ParseRange(field)
		if err != nil {
			return err
		}
		n.slots = append(n.slots, r)
	}
	c.lines = append(c.lines, n)
	return nil
}

// busAddress reads "10.0.0.1:6379@16379".
func busAddress(text string) (host string, number int, err error) {
	address, _, _ := strings.Cut(text, "@")
	colon := strings.LastIndexByte(address, ':') // kvrocks writes IPv6 without brackets
	if colon <= 0 {
		return "", 0, errors.New("no address")
	}
	if number = port(address[colon+1:]); number == 0 {
		return "", 0, errors.New("no port")
	}
	return address[:colon], number, nil
}

// setNodes writes a layout as SETNODES takes it.
func (c *ClusterNodes) setNodes() string {
	var b strings.Builder
	for _, n := range c.lines {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s %s %d ", n.id, n.host, n.port)
		if n.masterID != "" {
			b.WriteString("slave " + n.masterID)
			continue
		}
		b.WriteString("master -")
		for _, r := range n.slots {
			b.WriteString(" " + r.String())
		}
	}
	return b.String()
}
