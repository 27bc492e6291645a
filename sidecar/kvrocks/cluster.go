package kvrocks

import (
	"context"
	"errors"
	"strconv"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// ClusterInfo asks the node for the version of its layout and for the last moves of slots, with one CLUSTER INFO. A node
// that was never given a layout has version -1, which is no error.
func (n *Node) ClusterInfo(ctx context.Context) (ClusterInfo, error) {
	info := ClusterInfo{Version: NoLayout}
	err := n.conn.run(ctx, operation{name: "CLUSTER INFO"}, func(ctx context.Context) error {
		text, err := n.conn.client.ClusterInfo(ctx).Result()
		if err != nil {
			return err
		}
		info, err = ParseClusterInfo(text)
		return err
	})
	if errors.Is(err, ErrClusterDown) {
		return ClusterInfo{Version: NoLayout}, nil
	}
	return info, err
}

// ClusterNodes asks the node for its layout, with one CLUSTER NODES. ErrClusterDown when it has none.
func (n *Node) ClusterNodes(ctx context.Context) (ClusterNodes, error) {
	var nodes ClusterNodes
	err := n.conn.run(ctx, operation{name: "CLUSTER NODES"}, func(ctx context.Context) error {
		text, err := n.conn.client.ClusterNodes(ctx).Result()
		if err != nil {
			return err
		}
		nodes, err = ParseClusterNodes(text)
		return err
	})
	return nodes, err
}

// ClusterID asks for the id that the node was given, with one CLUSTERX MYID; empty when it has none, as after a start.
func (n *Node) ClusterID(ctx context.Context) (string, error) {
	var id string
	err := n.conn.run(ctx, operation{name: "CLUSTERX MYID"}, func(ctx context.Context) (err error) {
		id, err = n.conn.client.Do(ctx, "CLUSTERX", "MYID").Text()
		return err
	})
	return id, err
}

// SetLayout gives the node its id and a layout, with CLUSTERX SETNODEID and SETNODES in one go: it becomes what the layout
// says it is. A layout older than the node's is ErrOldLayout, and one of the same version changes nothing, unless force is
// set. A layout must give away all slots: a node keeps those that it had and that are not mentioned.
//
// Like ReplicaOf it may take up to ten seconds, in which the node answers no client.
func (n *Node) SetLayout(ctx context.Context, id string, l *layout.Layout, force bool) error {
	nodes := NodesOf(l)
	args := []any{"CLUSTERX", "SETNODES", nodes.setNodes(), strconv.FormatInt(l.Version, 10)}
	if force {
		args = append(args, "FORCE")
	}
	return n.conn.run(ctx, n.roleChange("CLUSTERX SETNODES"), func(ctx context.Context) error {
		pipe := n.conn.client.Pipeline()
		first, second := pipe.Do(ctx, "CLUSTERX", "SETNODEID", id), pipe.Do(ctx, args...)
		if _, err := pipe.Exec(ctx); err != nil {
			return err // of the first that failed
		}
		return errors.Join(first.Err(), second.Err())
	})
}

// PublishMarker raises the sequence of a master by one entry that leaves nothing behind, with one PUBLISH: unlike a key it
// belongs to no slot. On a replica it does nothing.
//
// It is for an empty shard, whose sequence 0 would forbid every failover.
func (n *Node) PublishMarker(ctx context.Context, channel string) error {
	return n.conn.do(ctx, operation{name: "PUBLISH"}, "PUBLISH", channel, "")
}

// MigrateSlots begins to move slots to another master, with one CLUSTERX MIGRATE ... ASYNC. ErrMigrating while another
// move is under way, ErrMigrated when these slots have gone already and no new layout came since, ErrNotOwner,
// ErrUnknownNode when the node's layout does not have the destination.
func (n *Node) MigrateSlots(ctx context.Context, which slots.Range, toID string) error {
	return n.conn.do(ctx, operation{name: "CLUSTERX MIGRATE"}, "CLUSTERX", "MIGRATE", which.String(), toID, "ASYNC")
}
