package kvrocks

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// ClusterNodes is a layout as a node has it.
type ClusterNodes struct {
	// Version of the layout.
	Version int64
	// MyID is the id of the node that answered; empty when the layout does not have it.
	MyID string
	// Nodes in the order of the reply, which says nothing.
	Nodes []ClusterNode
}

// ClusterNode is one node of a layout.
type ClusterNode struct {
	// ID has 40 characters.
	ID string
	// Host and Port are where clients and other nodes reach it.
	Host string
	Port int
	// MasterID is the id of a replica's master; empty for a master.
	MasterID string
	// Slots of a master. A list and not a set, because most nodes have few ranges and there are many nodes.
	Slots []slots.Range
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
	if len(all.Nodes) == 0 {
		return ClusterNodes{}, errors.New("the CLUSTER NODES reply names no node")
	}
	return all, nil
}

func (c *ClusterNodes) line(fields []string) error {
	if len(fields) < nodeSlots {
		return errors.New("too few fields")
	}
	n := ClusterNode{ID: fields[nodeID]}
	if len(n.ID) != nodeIDLength {
		return errors.New("the id has not 40 characters")
	}
	var err error
	if n.Host, n.Port, err = busAddress(fields[nodeAddress]); err != nil {
		return err
	}
	version, err := strconv.ParseInt(fields[nodeEpoch], 10, 64)
	if err != nil {
		return fmt.Errorf("version: %w", err)
	}
	if len(c.Nodes) > 0 && version != c.Version {
		return errors.New("two versions")
	}
	c.Version = version
	master := false
	for flag := range strings.SplitSeq(fields[nodeFlags], ",") {
		switch flag {
		case "myself":
			c.MyID = n.ID
		case "master":
			master = true
		}
	}
	if !master {
		n.MasterID = fields[nodeMaster]
		if len(n.MasterID) != nodeIDLength {
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
		n.Slots = append(n.Slots, r)
	}
	c.Nodes = append(c.Nodes, n)
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

// layoutText writes a layout as SETNODES takes it.
func layoutText(nodes []ClusterNode) string {
	var b strings.Builder
	for _, n := range nodes {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s %s %d ", n.ID, n.Host, n.Port)
		if n.MasterID != "" {
			b.WriteString("slave " + n.MasterID)
			continue
		}
		b.WriteString("master -")
		for _, r := range n.Slots {
			b.WriteString(" " + r.String())
		}
	}
	return b.String()
}
