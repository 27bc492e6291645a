package reconcile

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// Clusters of the fleet: node n of shard s of cluster i is 127.<2+i>.s.n, and node 0 is the master.
const (
	firstCluster = 2
	clusterNodes = 3 // per shard
)

func fleetHost(cluster, shard, n int) string {
	return fmt.Sprintf("127.%d.%d.%d", firstCluster+cluster, shard, n)
}

func fleetID(host string) string { return host + strings.Repeat("x", nodeIDLength-len(host)) }

const nodeIDLength = 40

// fleetNodes is what CLUSTER NODES answers on a host.
func fleetNodes(host string, port int) string {
	shards, _ := strconv.Atoi(os.Getenv(fleetVariable))
	cluster, _ := strconv.Atoi(strings.Split(host, ".")[1])
	var b strings.Builder
	for s := range shards {
		for n := range clusterNodes {
			at := fleetHost(cluster-firstCluster, s, n)
			flags, master, owned := "slave", fleetID(fleetHost(cluster-firstCluster, s, 0)), ""
			if n == 0 {
				flags, master, owned = "master", "-", " "+fleetSlots(s, shards).String()
			}
			if at == host {
				flags = "myself," + flags
			}
			fmt.Fprintf(&b, "%s %s:%d@%d %s %s 1 1 1 connected%s\n", fleetID(at), announcedBy(at), port, port, flags, master, owned)
		}
	}
	return b.String()
}

func fleetSlots(shard, shards int) slots.Range {
	return slots.Range{First: shard * slots.Count / shards, Last: (shard+1)*slots.Count/shards - 1}
}

// addClusterInstance adds cluster i of the fleet, settled.
func addClusterInstance(c *fakeCluster, i, shards int, port int32) types.NamespacedName {
	name := fmt.Sprintf("cluster%d", i)
	key := types.NamespacedName{Namespace: kubetest.Namespace, Name: name}
	t := &v1alpha1.KVRocksTopology{
		ObjectMeta: metav1.ObjectMeta{Namespace: kubetest.Namespace, Name: name, UID: types.UID(name), ResourceVersion: "1", Generation: 1},
		Spec: v1alpha1.KVRocksTopologySpec{
			Type: v1alpha1.TypeCluster, Port: port, Controller: &v1alpha1.ControllerRef{URL: "http://nobody"},
		},
	}
	for s := range shards {
		shard := v1alpha1.TopologyShard{Index: int32(s), MasterName: fmt.Sprintf("%s.%d", name, s), Replicas: clusterNodes}
		for n := range clusterNodes {
			pod := kubetest.DataPod(fmt.Sprintf("%s-%d", name, s), n)
			pod.Labels[v1alpha1.LabelInstance] = name
			pod.Status.PodIP = fleetHost(i, s, n)
			pod.Status.Conditions = []corev1.PodCondition{{Type: v1alpha1.AttachedGate, Status: corev1.ConditionTrue}}
			pod.Labels[v1alpha1.LabelRole] = string(v1alpha1.RoleReplica)
			if n == 0 {
				pod.Labels[v1alpha1.LabelRole] = string(v1alpha1.RoleMaster)
			}
			c.pods = append(c.pods, pod)
			shard.Members = append(shard.Members, v1alpha1.Member{Pod: pod.Name, Address: announcedBy(pod.Status.PodIP)})
		}
		t.Spec.Shards = append(t.Spec.Shards, shard)
	}
	c.topologies[key] = t
	return key
}

// withRecords gives every cluster a kvrocks-controller with its record.
func withRecords(r *Reconciler, c *fakeCluster) {
	r.network.Controller = func(o kvctl.Options) conn.Controller {
		t := c.topologies[types.NamespacedName{Namespace: o.Namespace, Name: o.Cluster}]
		record := &kvctl.Record{Layout: layout.Layout{Version: 1}}
		for s, shard := range t.Spec.Shards {
			entry := layout.Shard{Slots: slots.Of(fleetSlots(s, len(t.Spec.Shards)))}
			for n, m := range shard.Members {
				id := fleetID("127" + strings.TrimPrefix(m.Address, "10"))
				entry.Nodes = append(entry.Nodes, layout.Node{ID: id, Address: m.Address, Port: t.Spec.Port, Master: n == 0})
			}
			record.Shards = append(record.Shards, entry)
		}
		return &fakeController{journal: &journal{}, record: record}
	}
}

// BenchmarkIdleClusters watches 20 settled clusters of 10 shards with 3 nodes each, as BenchmarkIdleFleet does.
func BenchmarkIdleClusters(b *testing.B) {
	const clusters, shards, period = 20, 10, 10 * time.Second
	port, commands := startFleet(b, shards)
	c := &fakeCluster{topologies: map[types.NamespacedName]*v1alpha1.KVRocksTopology{}}
	for i := range clusters {
		addClusterInstance(c, i, shards, port)
	}
	measureIdle(b, c, commands, clusters*shards*clusterNodes, period)
}

// BenchmarkPassOverALargeCluster is one pass over a settled cluster of 100 shards with 3 nodes each: at rest, and one that
// looks closely.
func BenchmarkPassOverALargeCluster(b *testing.B) {
	const shards = 100
	for _, closely := range []bool{false, true} {
		b.Run(fmt.Sprintf("closely=%t", closely), func(b *testing.B) {
			port, _ := startFleet(b, shards)
			c := &fakeCluster{topologies: map[types.NamespacedName]*v1alpha1.KVRocksTopology{}}
			key := addClusterInstance(c, 0, shards, port)
			r := benchReconciler(c)
			withRecords(r, c)
			r.enqueue = func(types.NamespacedName) {}
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			r.begin(ctx)
			defer r.close()
			for range 20 {
				result, err := r.Reconcile(ctx, key)
				require.NoError(b, err)
				if !result.Acted {
					break
				}
			}
			require.Equal(b, "True", conditionOf(c.topologies[key], v1alpha1.ConditionPrimaryAvailable))
			b.ReportAllocs()
			for b.Loop() {
				if closely {
					r.wake(key)
				}
				result, err := r.Reconcile(ctx, key)
				require.NoError(b, err)
				require.False(b, result.Acted)
			}
		})
	}
}

func conditionOf(t *v1alpha1.KVRocksTopology, kind string) string {
	i := slices.IndexFunc(t.Status.Conditions, func(c metav1.Condition) bool { return c.Type == kind })
	if i < 0 {
		return ""
	}
	return string(t.Status.Conditions[i].Status)
}
