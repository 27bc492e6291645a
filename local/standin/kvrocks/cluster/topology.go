package cluster

import (
	"strconv"
	"strings"
)

// IDLength is the length of a node id.
const IDLength = 40

// busPortOffset is what CLUSTER NODES adds to a port for the bus that kvrocks does not have.
const busPortOffset = 10000

// Refusals of a topology.
const (
	ErrNodeID   = Refusal("Invalid cluster node id")
	ErrNodes    = Refusal("Invalid cluster nodes info")
	ErrVersion  = Refusal("Invalid cluster version")
	ErrSlot     = Refusal("Slot is out of range")
	ErrOverlap  = Refusal("Slot distribution is overlapped")
	ErrNoMaster = Refusal("The node isn't a master")
)

// Node is one member. A new topology has new nodes: an old pointer never equals a new one, even with the same id.
type Node struct {
	ID, Host  string
	Port      int
	Master    bool
	MasterID  string   // of a replica
	Replicas  []string // ids, of a master
	Importing Range    // slots that a migration is bringing to this node; only kept for the node itself
}

// Addr is host:port.
func (n *Node) Addr() string { return n.Host + ":" + strconv.Itoa(n.Port) }

// Topology is what one node knows of its cluster.
type Topology struct {
	Version  int64 // -1 until the first SETNODES
	MyID     string
	Nodes    map[string]*Node // a nil node was named by SETSLOT and does not exist; describing it crashes
	Slots    [Slots]*Node     // a slot that a new topology does not name keeps its old node
	Myself   *Node            // nil if the topology does not have this node
	Size     int              // masters with slots
	Migrated map[int]string   // slots that left and where to, until the next topology
	Imported map[int]bool     // slots that came, until the next topology
}

// New returns the topology of a node that was told nothing.
func New() *Topology {
	return &Topology{Version: -1, Nodes: map[string]*Node{}, Migrated: map[int]string{}, Imported: map[int]bool{}}
}

// SetID names this node.
func (t *Topology) SetID(id string) error {
	if len(id) != IDLength {
		return ErrNodeID
	}
	t.MyID, t.Myself = id, nil
	if t.Version >= 0 {
		t.Myself = t.Nodes[id]
	}
	return nil
}

// Set replaces the topology. An older version is refused, the same one ignored (changed is false), unless forced.
// isMe recognises this node by its address while it has no id. Slots that a new topology leaves out keep their node.
func (t *Topology) Set(nodes string, version int64, force bool, isMe func(*Node) bool) (changed bool, err error) {
	if version < 0 || (!force && version < t.Version) {
		return false, ErrVersion
	}
	if !force && version == t.Version {
		return false, nil
	}
	members, owners, err := parse(nodes)
	if err != nil {
		return false, err
	}
	t.Version, t.Nodes, t.Size = version, members, 0
	served := map[string]bool{}
	for slot, id := range owners {
		t.Slots[slot] = members[id]
		served[id] = true
	}
	t.Size = len(served)
	for id, n := range members {
		if master := members[n.MasterID]; !n.Master && master != nil {
			master.Replicas = append(master.Replicas, id)
		}
	}
	if t.MyID == "" || force {
		for id, n := range members {
			if isMe(n) {
				t.MyID = id
			}
		}
	}
	t.Myself = members[t.MyID]
	return true, nil
}

// ForgetMoves drops what was migrated and imported and returns the migrated slots that this node serves no more.
func (t *Topology) ForgetMoves() (gone []int) {
	for slot := range t.Migrated {
		if t.Slots[slot] != t.Myself {
			gone = append(gone, slot)
		}
	}
	clear(t.Migrated)
	clear(t.Imported)
	return gone
}

// Assign gives slots to a node in the next version and returns the migrated ones that this node has lost by it. An
// unknown id is refused, but stays behind as the nil node that crashes the real program later.
func (t *Topology) Assign(r Range, id string, version int64) (gone []int, err error) {
	if version <= 0 || version != t.Version+1 {
		return nil, ErrVersion
	}
	n := t.Nodes[id]
	if n == nil {
		t.Nodes[id] = nil
		return nil, Refusal("No this node in the cluster")
	}
	if !n.Master {
		return nil, ErrNoMaster
	}
	t.Version = version
	for slot := r.Start; slot <= r.End; slot++ {
		old := t.Slots[slot]
		t.Slots[slot] = n
		if old == t.Myself && old != n {
			if _, moved := t.Migrated[slot]; moved {
				gone = append(gone, slot)
			}
			delete(t.Migrated, slot)
			delete(t.Imported, slot)
		}
	}
	return gone, nil
}

func parse(text string) (map[string]*Node, map[int]string, error) {
	members, owners := map[string]*Node{}, map[int]string{}
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	if len(lines) == 0 {
		return nil, nil, ErrNodes
	}
	for _, line := range lines {
		f := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' })
		if len(f) < 5 {
			return nil, nil, ErrNodes
		}
		n := &Node{ID: f[0], Host: f[1], Importing: NoRange}
		if len(n.ID) != IDLength {
			return nil, nil, ErrNodeID
		}
		port, err := strconv.ParseUint(f[2], 10, 16)
		if err != nil {
			return nil, nil, Refusal("Invalid cluster node port")
		}
		n.Port = int(port)
		switch strings.ToLower(f[3]) {
		case "master":
			n.Master = true
		case "slave", "replica":
			n.MasterID = f[4]
		default:
			return nil, nil, Refusal("Invalid cluster node role")
		}
		if (n.Master && f[4] != "-") || (!n.Master && len(f[4]) != IDLength) {
			return nil, nil, ErrNodeID
		}
		if !n.Master && len(f) != 5 {
			return nil, nil, ErrNodes
		}
		for _, word := range f[5:] {
			if err := claim(owners, n.ID, word); err != nil {
				return nil, nil, err
			}
		}
		members[n.ID] = n
	}
	return members, owners, nil
}

// claim gives the slots in word, "5" or "5-7" but never "5-5", to a node.
func claim(owners map[int]string, id, word string) error {
	if len(word) == IDLength && strings.Trim(word, "0123456789abcdefABCDEF") == "" {
		return Refusal("Invalid nodes definition: Missing newline between node entries.")
	}
	r, err := ParseRange(word)
	if err != nil || (strings.Contains(word, "-") && r.Start == r.End) {
		return ErrSlot
	}
	for slot := r.Start; slot <= r.End; slot++ {
		if _, taken := owners[slot]; taken {
			return ErrOverlap
		}
		owners[slot] = id
	}
	return nil
}
