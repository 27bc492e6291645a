package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

// The real program's limits.
const (
	dialTimeout = 3200 * time.Millisecond
	ioTimeout   = 3 * time.Second
	// minIdle connections per node are kept open. After the node's restart each of them fails once.
	minIdle = 3
)

// Answers of a node that are not failures.
var (
	ErrNotInitialized = errors.New("CLUSTERDOWN The cluster is not initialized")
	ErrLoading        = errors.New("LOADING kvrocks is restoring the db from backup")
)

// Pool holds one client per node id. As in the real program a client keeps the address and the password with which the
// node was first seen, for as long as the process lives, and uses connections without looking whether they are dead.
type Pool struct {
	mu      sync.Mutex
	clients map[string]*redis.Client
}

// NewPool returns a pool without clients.
func NewPool() *Pool { return &Pool{clients: map[string]*redis.Client{}} }

func (p *Pool) client(n *record.Node) *redis.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	client, known := p.clients[n.ID]
	if !known {
		client = redis.NewClient(&redis.Options{
			Addr: n.Addr, Password: n.Password, Protocol: 2, DisableIdentity: true,
			DialTimeout: dialTimeout, DialerRetries: 1, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout, MaxRetries: -1,
			MinIdleConns: minIdle, Dialer: dial,
		})
		p.clients[n.ID] = client
	}
	return client
}

// unchecked is a connection whose state the client cannot look up, as that of the real program does not.
type unchecked struct{ net.Conn }

func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: 5 * time.Minute}
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return unchecked{conn}, nil
}

// ClusterInfo is what CLUSTER INFO says that matters.
type ClusterInfo struct {
	// Version is that of the topology.
	Version int64
	// Migrating is the slots of the last migration from this node, or nil; State is how it stands.
	Migrating *record.Range
	State     string
}

// ClusterInfo asks a node for its view of the cluster. ErrNotInitialized and ErrLoading are answers of a live node.
func (p *Pool) ClusterInfo(ctx context.Context, n *record.Node) (ClusterInfo, error) {
	text, err := p.client(n).Do(ctx, "CLUSTER", "INFO").Text()
	if err != nil {
		return ClusterInfo{}, classify(err)
	}
	info := ClusterInfo{Version: -1}
	for name, value := range fields(text) {
		switch name {
		case "cluster_current_epoch":
			if info.Version, err = strconv.ParseInt(value, 10, 64); err != nil {
				return ClusterInfo{}, fmt.Errorf("read the version of %s: %w", n.Addr, err)
			}
		case "migrating_slot", "migrating_slot(s)":
			slots, err := record.ParseRange(value)
			if err != nil {
				return ClusterInfo{}, fmt.Errorf("read the migrating slots of %s: %w", n.Addr, err)
			}
			info.Migrating = &slots
		case "migrating_state":
			info.State = value
		}
	}
	return info, nil
}

// classify keeps the text of an unexpected error as it is: it is part of the HTTP API.
func classify(err error) error {
	// Older releases put "ERR " in front.
	for _, known := range []error{ErrNotInitialized, ErrLoading} {
		if strings.Contains(err.Error(), known.Error()) {
			return known
		}
	}
	return err
}

// Replication returns a node's role and sequence, as INFO has them.
func (p *Pool) Replication(ctx context.Context, n *record.Node) (record.Candidate, error) {
	text, err := p.client(n).Info(ctx).Result()
	if err != nil {
		return record.Candidate{}, err
	}
	found := record.Candidate{ID: n.ID}
	for name, value := range fields(text) {
		switch name {
		case "role":
			found.Role = value
		case "sequence":
			if found.Sequence, err = strconv.ParseUint(value, 10, 64); err != nil {
				return record.Candidate{}, fmt.Errorf("read the sequence of %s: %w", n.Addr, err)
			}
		}
	}
	return found, nil
}

// ClusterNodes returns a node's topology as text.
func (p *Pool) ClusterNodes(ctx context.Context, n *record.Node) (string, error) {
	text, err := p.client(n).Do(ctx, "CLUSTER", "NODES").Text()
	return strings.TrimRight(text, "\n"), err
}

// Push gives a node its id and the topology. A node that has this version already ignores it.
func (p *Pool) Push(ctx context.Context, n *record.Node, cluster *record.Cluster) error {
	topology, err := cluster.SetNodes()
	if err != nil {
		return err
	}
	client := p.client(n)
	if err := client.Do(ctx, "CLUSTERX", "SETNODEID", n.ID).Err(); err != nil {
		return err
	}
	return client.Do(ctx, "CLUSTERX", "SETNODES", topology, cluster.Version).Err()
}

// Migrate asks a master to start sending slots to another.
func (p *Pool) Migrate(ctx context.Context, source *record.Node, slots record.Range, target string) error {
	return p.client(source).Do(ctx, "CLUSTERX", "MIGRATE", slots.String(), target).Err()
}

// Candidates asks all nodes of a shard but its master, and leaves out those that do not answer or have no topology.
func (p *Pool) Candidates(ctx context.Context, shard *record.Shard) []record.Candidate {
	var candidates []record.Candidate
	for _, n := range shard.Nodes {
		if n.IsMaster() {
			continue
		}
		if _, err := p.ClusterInfo(ctx, n); err != nil {
			continue
		}
		if found, err := p.Replication(ctx, n); err == nil {
			candidates = append(candidates, found)
		}
	}
	return candidates
}

// fields yields the name:value lines of INFO and CLUSTER INFO.
func fields(text string) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		for line := range strings.SplitSeq(text, "\r\n") {
			name, value, found := strings.Cut(line, ":")
			if found && !strings.Contains(value, ":") && !yield(name, strings.TrimSpace(value)) {
				return
			}
		}
	}
}
