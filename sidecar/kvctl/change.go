package kvctl

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// Create makes the record of a new cluster. Each shard lists the addresses of its nodes, the master first; the slots are
// spread evenly over the shards in their order. The API takes shards of one size only, so the longer ones lose their last
// nodes: see [Client.AddNode]. The nodes are not contacted, and nothing is pushed to them yet. ErrExists when there is
// a record of this name, or when an address is in another one.
func (c *Client) Create(ctx context.Context, shards [][]string) error {
	const op = "create the cluster"
	size := 0
	for i, shard := range shards {
		if i == 0 || len(shard) < size {
			size = len(shard)
		}
	}
	if size == 0 {
		return &Error{Op: op, Kind: ErrRefused, Text: "a shard without nodes"}
	}
	var nodes []string
	for _, shard := range shards {
		nodes = append(nodes, shard[:size]...)
	}
	return c.inNamespace(ctx, request{
		op: op, method: http.MethodPost, path: c.clustersPath(),
		body: struct {
			Name     string   `json:"name"`
			Nodes    []string `json:"nodes"`
			Replicas int      `json:"replicas"`
			Password string   `json:"password"`
		}{c.options.Cluster, nodes, size, c.options.Password},
	})
}

// Import makes the record from what the node at addr says of its cluster. ErrExists as for Create.
func (c *Client) Import(ctx context.Context, addr string) error {
	return c.inNamespace(ctx, request{
		op: "import the cluster", method: http.MethodPost, path: c.clusterPath("import"),
		body: struct {
			Nodes    []string `json:"nodes"`
			Password string   `json:"password"`
		}{[]string{addr}, c.options.Password},
	})
}

// Delete deletes the record. One that does not exist is deleted. The nodes are not contacted.
func (c *Client) Delete(ctx context.Context) error {
	if _, err := c.Get(ctx); err != nil {
		return ignore(err, ErrNotFound)
	}
	err := c.change(ctx, request{op: "delete the cluster", method: http.MethodDelete, path: c.clusterPath()})
	return ignore(err, ErrNotFound)
}

// AddShard adds a shard without slots; the first address is its master. Nothing is done when the record has that address
// already: kvrocks-controller would take it a second time.
func (c *Client) AddShard(ctx context.Context, addresses []string) error {
	const op = "add a shard"
	if len(addresses) == 0 {
		return &Error{Op: op, Kind: ErrRefused, Text: "a shard without nodes"}
	}
	record, err := c.Get(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(addresses, record.hasAddress) {
		return nil
	}
	return c.change(ctx, request{
		op: op, method: http.MethodPost, path: c.clusterPath("shards"),
		body: struct {
			Nodes    []string `json:"nodes"`
			Password string   `json:"password"`
		}{addresses, c.options.Password},
	})
}

// RemoveShard removes the shard of a node. Nothing is done when no shard has the node. ErrRefused while it owns slots.
func (c *Client) RemoveShard(ctx context.Context, id string) error {
	const op = "remove a shard"
	record, index, err := c.find(ctx, op, id)
	if err != nil {
		return ignore(err, ErrChanged)
	}
	if owned := record.Shards[index].Slots; !owned.Empty() {
		return &Error{Op: op, Kind: ErrRefused, Text: isServing}
	}
	return c.change(ctx, request{op: op, method: http.MethodDelete, path: c.clusterPath("shards", strconv.Itoa(index))})
}

// AddNode adds a replica to the shard of a node. Nothing is done when the record has the address already.
func (c *Client) AddNode(ctx context.Context, masterID, addr string) error {
	const op = "add a node"
	record, index, err := c.find(ctx, op, masterID)
	if err != nil {
		return err
	}
	if record.hasAddress(addr) {
		return nil
	}
	return c.change(ctx, request{
		op: op, method: http.MethodPost, path: c.clusterPath("shards", strconv.Itoa(index), "nodes"),
		body: struct {
			Addr     string `json:"addr"`
			Role     string `json:"role"`
			Password string `json:"password"`
		}{addr, roleReplica, c.options.Password},
	})
}

// RemoveNode removes a replica. Nothing is done when the record does not have it. A master is ErrRefused.
func (c *Client) RemoveNode(ctx context.Context, id string) error {
	const op = "remove a node"
	record, index, err := c.find(ctx, op, id)
	if err != nil {
		return ignore(err, ErrChanged)
	}
	if record.masterOf(index).ID == id {
		return &Error{Op: op, Kind: ErrRefused, Text: "the node is a master"}
	}
	return c.change(ctx, request{
		op: op, method: http.MethodDelete, path: c.clusterPath("shards", strconv.Itoa(index), "nodes", id),
	})
}

const (
	// staleConnections is for how long a failover is asked for again that found no fit node: kvrocks-controller 1.2.0 keeps several
	// connections to each node and does not try again when one has broken, as all do when the node's pod is replaced, so that each
	// attempt finds out about one of them. After some refused ones it dials once a second only; a planned move waits for that before
	// it begins (controllerRedial of sidecar/plan).
	staleConnections = 500 * time.Millisecond
	// staleRetry is how long it waits before.
	staleRetry = 5 * time.Millisecond
)

// foundNone reports whether kvrocks-controller took no node for fit.
func foundNone(err error) bool {
	var e *Error
	return errors.As(err, &e) && errors.Is(err, ErrRefused) && strings.Contains(e.Text, noCandidate)
}

// FailOver makes preferredID master of the shard that masterID is master of. Nothing is done when it is master already;
// ErrChanged when another node is. kvrocks-controller promotes another node when it finds the preferred one
// unfit: that is ErrChanged as well, and says which one.
func (c *Client) FailOver(ctx context.Context, masterID, preferredID string) error {
	const op = "fail over"
	record, index, err := c.find(ctx, op, preferredID)
	if err != nil {
		return err
	}
	switch master := record.masterOf(index); master.ID {
	case preferredID:
		return nil
	case masterID:
	default:
		return &Error{Op: op, Kind: ErrChanged, Text: fmt.Sprintf("the master is %s (%s) and not %s", master.ID, master.Endpoint(), masterID)}
	}
	var reply struct {
		NewMasterID string `json:"new_master_id"`
	}
	err = c.failOver(ctx, request{
		op: op, method: http.MethodPost, path: c.clusterPath("shards", strconv.Itoa(index), "failover"),
		body: struct {
			PreferredNodeID string `json:"preferred_node_id"`
		}{preferredID},
		into: &reply,
	})
	if err == nil && reply.NewMasterID != preferredID {
		return &Error{Op: op, Kind: ErrChanged, Text: fmt.Sprintf("%s was promoted instead of %s", reply.NewMasterID, preferredID)}
	}
	return err
}

// failOver sends the request, again and again for a while as long as no fit node is found.
func (c *Client) failOver(ctx context.Context, r request) error {
	for began := time.Now(); ; {
		err := c.change(ctx, r)
		if !foundNone(err) || time.Since(began) >= staleConnections {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(staleRetry):
		}
	}
}

// RecordSlots puts slots on record as those of the shard of a node, without moving a key. Nothing is done for those
// that are. The rest must belong to one other shard, or it is ErrChanged.
func (c *Client) RecordSlots(ctx context.Context, moved slots.Range, toID string) error {
	const op = "record slots"
	record, target, err := c.find(ctx, op, toID)
	if err != nil {
		return err
	}
	wanted := slots.Of(moved)
	left := wanted.Minus(&record.Shards[target].Slots)
	for _, piece := range left.Ranges() {
		if err := c.recordPiece(ctx, piece, record, target); err != nil {
			return err
		}
	}
	return nil
}

// recordPiece records slots that one range of one shard must hold: kvrocks-controller takes a range that overlaps a shard
// only in part for all that shard's.
func (c *Client) recordPiece(ctx context.Context, piece slots.Range, record *Record, target int) error {
	const op = "record slots"
	set := slots.Of(piece)
	owned := false
	for i := range record.Shards {
		missing := set.Minus(&record.Shards[i].Slots)
		owned = owned || missing.Empty()
	}
	if !owned {
		return &Error{Op: op, Kind: ErrChanged, Text: fmt.Sprintf("slots %s are not those of one shard", piece)}
	}
	var raw rawReply
	err := c.change(ctx, request{
		op: op, method: http.MethodPost, path: c.clusterPath("migrate"),
		body: struct {
			Target   int    `json:"target"`
			Slot     string `json:"slot"` // a JSON number would be taken for slot 0
			SlotOnly bool   `json:"slot_only"`
		}{target, piece.String(), true},
		into: &raw,
	})
	if err != nil {
		return err
	}
	after, err := raw.record(c.options.Password)
	if err != nil {
		return &Error{Op: op, Kind: ErrUnavailable, Text: err.Error(), cause: err}
	}
	id := record.masterOf(target).ID
	index := after.indexOf(id)
	if index < 0 {
		return &Error{Op: op, Kind: ErrChanged, Text: "the destination has left the record"}
	}
	if missing := set.Minus(&after.Shards[index].Slots); !missing.Empty() {
		return &Error{Op: op, Kind: ErrChanged, Text: fmt.Sprintf("slots %s went to another shard than that of %s", piece, id)}
	}
	return nil
}

// find reads the record and finds the shard of a node by its id; ErrChanged when no shard has it.
func (c *Client) find(ctx context.Context, op, id string) (*Record, int, error) {
	record, err := c.Get(ctx)
	if err != nil {
		return nil, 0, err
	}
	index := record.indexOf(id)
	if index < 0 {
		return nil, 0, &Error{Op: op, Kind: ErrChanged, Text: "the node is not in the record"}
	}
	return record, index, nil
}

func (c *Client) clustersPath() string { return "/" + c.options.Namespace + "/clusters" }

// inNamespace carries out a change that needs the namespace, and makes it when there is none.
func (c *Client) inNamespace(ctx context.Context, r request) error {
	if err := c.read(ctx, request{op: "find the leader"}); err != nil {
		return err
	}
	err := c.change(ctx, r)
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	err = c.change(ctx, request{
		op: "create the namespace", method: http.MethodPost,
		body: struct {
			Namespace string `json:"namespace"`
		}{c.options.Namespace},
	})
	if err := ignore(err, ErrExists); err != nil {
		return err
	}
	return c.change(ctx, r)
}

// ignore turns one kind of failure into success.
func ignore(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}
