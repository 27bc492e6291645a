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

// Controller runs one checker per cluster while its process leads.
type Controller struct {
	records  Records
	nodes    Nodes
	election Election
	failover config.Failover
	log      *slog.Logger
	checkers map[key]*clusterChecker
}

// New returns a controller that does nothing until it runs.
func New(records Records, nodes Nodes, election Election, failover config.Failover, log *slog.Logger) *Controller {
	return &Controller{
		records: records, nodes: nodes, election: election, failover: failover, log: log, checkers: map[key]*clusterChecker{},
	}
}

// Run works until the context ends.
func (c *Controller) Run(ctx context.Context) {
	defer c.stopAll()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.election.Changes():
			if !c.election.Leads() {
				c.stopAll()
			} else if err := c.startAll(ctx); err != nil {
				c.log.Error("cannot take the clusters over", "error", err)
			}
		case event := <-c.records.Events():
			// A follower changes the record too when it is asked, and does not tell the leader.
			if c.election.Leads() {
				c.handle(ctx, event)
			}
		}
	}
}

func (c *Controller) handle(ctx context.Context, event store.Event) {
	at := key{event.Namespace, event.Cluster}
	switch event.Change {
	case store.Created:
		c.start(ctx, at)
	case store.Updated:
		if checker, known := c.checkers[at]; known {
			checker.askToPush(ctx)
		}
	case store.Removed:
		c.stop(at)
	}
}

func (c *Controller) startAll(ctx context.Context) error {
	namespaces, err := c.records.Namespaces(ctx)
	if err != nil {
		return err
	}
	for _, ns := range namespaces {
		clusters, err := c.records.Clusters(ctx, ns)
		if err != nil {
			return err
		}
		for _, name := range clusters {
			c.start(ctx, key{ns, name})
		}
	}
	c.log.Info("leads", "clusters", len(c.checkers))
	return nil
}

func (c *Controller) start(ctx context.Context, at key) {
	if _, known := c.checkers[at]; known {
		return
	}
	checker := newClusterChecker(c.records, c.nodes, at, c.failover, c.log)
	checker.start(ctx)
	c.checkers[at] = checker
}

func (c *Controller) stop(at key) {
	if checker, known := c.checkers[at]; known {
		checker.stop()
		delete(c.checkers, at)
	}
}

func (c *Controller) stopAll() {
	for at := range c.checkers {
		c.stop(at)
	}
}
