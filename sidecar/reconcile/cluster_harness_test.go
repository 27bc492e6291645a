package reconcile

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// fakeMember is the cluster's side of a fakeNode.
type fakeMember struct {
	cluster kvrocks.ClusterInfo
	layout  *layout.Layout
	id      string
	keys    int64
	// counting, when set, is waited for by a count.
	counting chan struct{}
}

func (n *fakeNode) ClusterInfo(context.Context) (kvrocks.ClusterInfo, error) {
	return n.cluster, n.call("CLUSTER INFO")
}

func (n *fakeNode) ClusterNodes(context.Context) (kvrocks.ClusterNodes, error) {
	nodes := kvrocks.ClusterNodes{}
	if n.layout != nil {
		nodes = kvrocks.NodesOf(n.layout)
	}
	nodes.Version, nodes.MyID = n.cluster.Version, n.id
	return nodes, n.call("CLUSTER NODES")
}

func (n *fakeNode) PublishMarker(context.Context, string) error { return n.call("publish") }

func (n *fakeNode) ClusterID(context.Context) (string, error) { return n.id, n.call("MYID") }

func (n *fakeNode) SetLayout(_ context.Context, id string, l *layout.Layout, force bool) error {
	return n.call("layout %s %d nodes v%d force=%t", id, len(l.Positions()), l.Version, force)
}

func (n *fakeNode) MigrateSlots(_ context.Context, which slots.Range, toID string) error {
	return n.call("migrate %s %s", which, toID)
}

func (n *fakeNode) CountKeys(ctx context.Context, which slots.Range, _ int64) (int64, error) {
	if n.counting != nil {
		select {
		case <-n.counting:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return n.keys, n.call("count %s", which)
}

// fakeController answers from its fields and writes every call into the journal as "controller <what>".
type fakeController struct {
	journal *journal
	record  *kvctl.Record
	fail    func(what string) error
	made    []kvctl.Options
}

func (c *fakeController) call(format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	c.journal.add("controller %s", what)
	if c.fail != nil {
		return c.fail(what)
	}
	return nil
}

func (c *fakeController) Get(context.Context) (*kvctl.Record, error) {
	err := c.call("get")
	if err == nil && c.record == nil {
		err = kvctl.ErrNotFound
	}
	return c.record, err
}

func (c *fakeController) Create(_ context.Context, shards [][]string) error {
	return c.call("create %v", shards)
}

func (c *fakeController) Import(_ context.Context, addr string) error {
	return c.call("import %s", addr)
}
func (c *fakeController) Delete(context.Context) error { return c.call("delete") }
func (c *fakeController) Close() error                 { return nil }

func (c *fakeController) AddShard(_ context.Context, addresses []string) error {
	return c.call("add shard %v", addresses)
}

func (c *fakeController) RemoveShard(_ context.Context, id string) error {
	return c.call("remove shard of %s", id)
}

func (c *fakeController) AddNode(_ context.Context, masterID, addr string) error {
	return c.call("add %s to %s", addr, masterID)
}

func (c *fakeController) RemoveNode(_ context.Context, id string) error {
	return c.call("remove %s", id)
}

func (c *fakeController) FailOver(_ context.Context, masterID, preferredID string) error {
	return c.call("fail over %s to %s", masterID, preferredID)
}

func (c *fakeController) RecordSlots(_ context.Context, moved slots.Range, toID string) error {
	return c.call("record %s on %s", moved, toID)
}

// nodeIDOf is the id of the node in a pod.
func nodeIDOf(pod string) string { return pod + strings.Repeat("0", 40-len(pod)) }

// aCluster adds a settled cluster of two shards with two nodes each: the pods <name>-0-0 to <name>-1-1, the first of each
// shard its master, all with version 3 of the layout.
func (w *world) aCluster(name string) types.NamespacedName {
	key := w.standard(name, 0)
	t := w.cluster.topologies[key]
	t.Spec.Type = v1alpha1.TypeCluster
	t.Spec.Controller = &v1alpha1.ControllerRef{URL: "http://" + name + "-controller:9379"}
	t.Spec.Shards = nil
	record := &kvctl.Record{Layout: layout.Layout{Version: 3}}
	for shard := range 2 {
		owned := slots.Range{First: shard * 8192, Last: shard*8192 + 8191}
		spec := v1alpha1.TopologyShard{Index: int32(shard), MasterName: fmt.Sprintf("%s.%d", name, shard), Replicas: 2}
		entry := layout.Shard{Slots: slots.Of(owned)}
		for i := range 2 {
			pod := kubetest.DataPod(fmt.Sprintf("%s-%d", name, shard), i)
			pod.Labels[v1alpha1.LabelInstance] = name
			pod.Status.PodIP = fmt.Sprintf("10.1.%d.%d", shard, i)
			w.addPod(pod)
			address, id := fmt.Sprintf("10.9.%d.%d", shard, i), nodeIDOf(pod.Name)
			n := &fakeNode{addr: pod.Status.PodIP, journal: w.journal, settings: map[string]string{}}
			n.info = kvrocks.NodeInfo{Role: kvrocks.RoleMaster, Sequence: 7, RunID: pod.Name}
			if i > 0 {
				n.info = kvrocks.NodeInfo{
					Role: kvrocks.RoleReplica, LinkUp: true, Sequence: 7, MasterHost: spec.Members[0].Address, RunID: pod.Name,
				}
			}
			n.id, n.cluster.Version = id, 3
			w.nodes[conn.JoinHostPort(pod.Status.PodIP, v1alpha1.DefaultPort)] = n
			spec.Members = append(spec.Members, v1alpha1.Member{Pod: pod.Name, Address: address})
			entry.Nodes = append(entry.Nodes, layout.Node{ID: id, Address: address, Port: v1alpha1.DefaultPort, Master: i == 0})
		}
		t.Spec.Shards = append(t.Spec.Shards, spec)
		record.Shards = append(record.Shards, entry)
	}
	for _, n := range w.nodes {
		n.layout = &record.Layout
	}
	w.controller.record = record
	return key
}

// sentTo sorts what went to nodes and to kvrocks-controller by who got it: nodes are asked at the same time.
func sentTo(lines []string) map[string][]string {
	sent := map[string][]string{}
	for _, line := range lines {
		who, what, _ := strings.Cut(line, " ")
		if who == "controller" || strings.HasPrefix(who, "10.") {
			sent[who] = append(sent[who], what)
		}
	}
	return sent
}
