package reconcile

import (
	"context"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// DataNode is what a pass needs of a data node; [kvrocks.Node] has it.
type DataNode interface {
	Observe(ctx context.Context) (kvrocks.NodeInfo, error)
	IsEmpty(ctx context.Context) (bool, error)
	ConfigGet(ctx context.Context, name string) (map[string]string, error)
	ConfigSet(ctx context.Context, name, value string) error
	ReplicaOf(ctx context.Context, host string, port int) error
	Promote(ctx context.Context) error
	WriteMarker(ctx context.Context, key string) error
	Close() error
}

// Sentinel is what a pass needs of a sentinel; [kvrocks.Sentinel] has it.
type Sentinel interface {
	Master(ctx context.Context, name string) (kvrocks.MonitoredMaster, error)
	Masters(ctx context.Context) ([]kvrocks.MonitoredMaster, error)
	Sentinels(ctx context.Context, name string) ([]kvrocks.Peer, error)
	Replicas(ctx context.Context, name string) ([]kvrocks.MonitoredReplica, error)
	Monitor(ctx context.Context, name, host string, port, quorum int) error
	Remove(ctx context.Context, name string) error
	Set(ctx context.Context, name string, settings kvrocks.Settings) error
	Close() error
}

// Network opens connections. Tests replace its functions.
type Network struct {
	Node     func(addr string, o kvrocks.Options) DataNode
	Sentinel func(addr string, o kvrocks.Options) Sentinel
	// Listen delivers the events of one sentinel until ctx ends, reconnecting as needed.
	Listen func(ctx context.Context, addr string, o kvrocks.Options, handle func(kvrocks.Event))
}

// RedisNetwork talks to real nodes and sentinels.
func RedisNetwork() Network {
	return Network{
		Node:     func(addr string, o kvrocks.Options) DataNode { return kvrocks.NewNode(addr, o) },
		Sentinel: func(addr string, o kvrocks.Options) Sentinel { return kvrocks.NewSentinel(addr, o) },
		Listen: func(ctx context.Context, addr string, o kvrocks.Options, handle func(kvrocks.Event)) {
			// It only ends with ctx, and then there is nothing to report.
			_ = kvrocks.Subscriber{Addr: addr, Options: o}.Run(ctx, handle)
		},
	}
}
