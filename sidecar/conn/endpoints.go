package conn

import (
	"context"
	"net"
	"strconv"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// DataNode is what a pass needs of a data node; [kvrocks.Node] has it.
type DataNode interface {
	Observe(ctx context.Context) (kvrocks.NodeInfo, error)
	ConfigGet(ctx context.Context, name string) (map[string]string, error)
	ConfigSet(ctx context.Context, name, value string) error
	KeepNamespaces(ctx context.Context) error
	ReplicaOf(ctx context.Context, host string, port int) error
	Promote(ctx context.Context) error
	WriteMarker(ctx context.Context, key string) error
	DropReplicas(ctx context.Context) (int, error)
	DropSentinel(ctx context.Context, id string) (int, error)
	DropClients(ctx context.Context) (int, error)
	Close() error

	// Of a cluster:

	PublishMarker(ctx context.Context, channel string) error
	ClusterInfo(ctx context.Context) (kvrocks.ClusterInfo, error)
	ClusterNodes(ctx context.Context) (kvrocks.ClusterNodes, error)
	ClusterID(ctx context.Context) (string, error)
	SetLayout(ctx context.Context, id string, l *layout.Layout, force bool) error
	MigrateSlots(ctx context.Context, which slots.Range, toID string) error
	CountKeys(ctx context.Context, which slots.Range, most int64) (int64, error)
}

// Sentinel is what a pass needs of a sentinel; [kvrocks.Sentinel] has it.
type Sentinel interface {
	MyID(ctx context.Context) (string, error)
	Stats(ctx context.Context) (kvrocks.SentinelStats, error)
	Access(ctx context.Context) (kvrocks.SentinelAccess, error)
	AcceptPassword(ctx context.Context, password kvrocks.Secret) error
	AcceptOnlyPassword(ctx context.Context, password kvrocks.Secret) error
	PresentPassword(ctx context.Context, password kvrocks.Secret) error
	Master(ctx context.Context, name string) (kvrocks.MonitoredMaster, error)
	Masters(ctx context.Context) ([]kvrocks.MonitoredMaster, error)
	Sentinels(ctx context.Context, name string) ([]kvrocks.Peer, error)
	Replicas(ctx context.Context, name string) ([]kvrocks.MonitoredReplica, error)
	Monitor(ctx context.Context, name, host string, port, quorum int) error
	Remove(ctx context.Context, name string) error
	Set(ctx context.Context, name string, settings kvrocks.Settings) error
	Close() error
}

// Controller is what a pass needs of kvrocks-controller; [kvctl.Client] has it.
type Controller interface {
	Get(ctx context.Context) (*kvctl.Record, error)
	Create(ctx context.Context, shards [][]string) error
	Import(ctx context.Context, addr string) error
	Delete(ctx context.Context) error
	AddShard(ctx context.Context, addresses []string) error
	RemoveShard(ctx context.Context, id string) error
	AddNode(ctx context.Context, masterID, addr string) error
	RemoveNode(ctx context.Context, id string) error
	FailOver(ctx context.Context, masterID, preferredID string) error
	RecordSlots(ctx context.Context, moved slots.Range, toID string) error
	Close() error
}

// Network opens connections. Tests replace its functions.
type Network struct {
	Node     func(addr string, o kvrocks.Options) DataNode
	Sentinel func(addr string, o kvrocks.Options) Sentinel
	// Controller makes the client of a cluster's kvrocks-controller.
	Controller func(o kvctl.Options) Controller
	// Listen delivers the events of one sentinel until ctx ends, reconnecting as needed.
	Listen func(ctx context.Context, addr string, o kvrocks.Options, handle func(kvrocks.Event))
}

// RedisNetwork talks to real nodes and sentinels.
func RedisNetwork() Network {
	return Network{
		Node:       func(addr string, o kvrocks.Options) DataNode { return kvrocks.NewNode(addr, o) },
		Sentinel:   func(addr string, o kvrocks.Options) Sentinel { return kvrocks.NewSentinel(addr, o) },
		Controller: func(o kvctl.Options) Controller { return kvctl.New(o) },
		Listen: func(ctx context.Context, addr string, o kvrocks.Options, handle func(kvrocks.Event)) {
			// It only ends with ctx, and then there is nothing to report.
			_ = kvrocks.Subscriber{Addr: addr, Options: o}.Run(ctx, handle)
		},
	}
}

// JoinHostPort returns the address of a port of a host.
func JoinHostPort(host string, port int32) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
