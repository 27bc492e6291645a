package probe

import (
	"context"
	"log/slog"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/config"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/node"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/store"
)

// Records is where clusters are kept.
type Records interface {
	Namespaces(ctx context.Context) ([]string, error)
	Clusters(ctx context.Context, ns string) ([]string, error)
	Cluster(ctx context.Context, ns, name string) (*record.Cluster, error)
	Update(ctx context.Context, ns string, cluster *record.Cluster) error
	Adopt(ctx context.Context, ns string, cluster *record.Cluster) error
	Events() <-chan store.Event
}

// Nodes is the way to kvrocks.
type Nodes interface {
	ClusterInfo(ctx context.Context, n *record.Node) (node.ClusterInfo, error)
	ClusterNodes(ctx context.Context, n *record.Node) (string, error)
	Candidates(ctx context.Context, shard *record.Shard) []record.Candidate
	Push(ctx context.Context, n *record.Node, cluster *record.Cluster) error
}

// Election says whether this process leads, and when that changed.
type Election interface {
	Leads() bool
	Changes() <-chan struct{}
}

type key struct{ namespace, cluster string }

// Overseer runs one watch per cluster while its process leads.
type Overseer struct {
	records  Records
	nodes    Nodes
	election Election
	failover config.Failover
	log      *slog.Logger
	watches  map[key]*watch
}

// New returns an overseer that does nothing until it runs.
func New(records Records, nodes Nodes, election Election, failover config.Failover, log *slog.Logger) *Overseer {
	return &Overseer{
		records: records, nodes: nodes, election: election, failover: failover, log: log, watches: map[key]*watch{},
	}
}

// Run works until the context ends.
func (o *Overseer) Run(ctx context.Context) {
	defer o.stopAll()
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.election.Changes():
			if !o.election.Leads() {
				o.stopAll()
			} else if err := o.startAll(ctx); err != nil {
				o.log.Error("cannot take the clusters over", "error", err)
			}
		case event := <-o.records.Events():
			// A follower changes the record too when it is asked, and does not tell the leader.
			if o.election.Leads() {
				o.handle(ctx, event)
			}
		}
	}
}

func (o *Overseer) handle(ctx context.Context, event store.Event) {
	at := key{event.Namespace, event.Cluster}
	switch event.Change {
	case store.Created:
		o.start(ctx, at)
	case store.Updated:
		if w, known := o.watches[at]; known {
			w.askToPush(ctx)
		}
	case store.Removed:
		o.stop(at)
	}
}

func (o *Overseer) startAll(ctx context.Context) error {
	namespaces, err := o.records.Namespaces(ctx)
	if err != nil {
		return err
	}
	for _, ns := range namespaces {
		clusters, err := o.records.Clusters(ctx, ns)
		if err != nil {
			return err
		}
		for _, name := range clusters {
			o.start(ctx, key{ns, name})
		}
	}
	o.log.Info("leads", "clusters", len(o.watches))
	return nil
}

func (o *Overseer) start(ctx context.Context, at key) {
	if _, known := o.watches[at]; known {
		return
	}
	w := newWatch(o.records, o.nodes, at, o.failover, o.log)
	w.start(ctx)
	o.watches[at] = w
}

func (o *Overseer) stop(at key) {
	if w, known := o.watches[at]; known {
		w.stop()
		delete(o.watches, at)
	}
}

func (o *Overseer) stopAll() {
	for at := range o.watches {
		o.stop(at)
	}
}
