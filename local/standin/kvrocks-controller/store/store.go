package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

const prefix = "/kvrocks/metadata"

// Change is what happened to a cluster.
type Change int

// The changes that are told to the leader of the same process.
const (
	Created Change = iota
	Updated
	Removed
)

// Event says that a cluster was changed through this process.
type Event struct {
	Namespace, Cluster string
	Change             Change
}

// Store is the record of all clusters.
type Store struct {
	etcd   *clientv3.Client
	events chan Event
	// mu makes reading a version and writing the next one a single step, in this process.
	mu sync.Mutex
}

// New uses a client of etcd.
func New(etcd *clientv3.Client) *Store {
	return &Store{etcd: etcd, events: make(chan Event, 100)}
}

// Events yields the changes made through this process.
func (s *Store) Events() <-chan Event { return s.events }

func namespaceKey(ns string) string               { return prefix + "/" + ns }
func clusterKey(ns, c string) string              { return namespaceKey(ns) + "/cluster/" + c }
func (s *Store) emit(ns, c string, change Change) { s.events <- Event{ns, c, change} }

// list returns the names directly below a key.
func (s *Store) list(ctx context.Context, parent string) ([]string, error) {
	found, err := s.etcd.Get(ctx, parent+"/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, kv := range found.Kvs {
		if name := strings.TrimPrefix(string(kv.Key), parent+"/"); !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	return names, nil
}

func (s *Store) exists(ctx context.Context, key string) (bool, error) {
	found, err := s.etcd.Get(ctx, key, clientv3.WithCountOnly())
	if err != nil {
		return false, err
	}
	return found.Count > 0, nil
}

// Namespaces lists the namespaces.
func (s *Store) Namespaces(ctx context.Context) ([]string, error) { return s.list(ctx, prefix) }

// HasNamespace says whether the namespace exists.
func (s *Store) HasNamespace(ctx context.Context, ns string) (bool, error) {
	return s.exists(ctx, namespaceKey(ns))
}

// CreateNamespace fails with ErrAlreadyExists if it exists.
func (s *Store) CreateNamespace(ctx context.Context, ns string) error {
	if exists, err := s.HasNamespace(ctx, ns); err != nil || exists {
		return orElse(err, record.ErrAlreadyExists)
	}
	_, err := s.etcd.Put(ctx, namespaceKey(ns), ns)
	return err
}

// RemoveNamespace fails with ErrForbidden while the namespace has clusters.
func (s *Store) RemoveNamespace(ctx context.Context, ns string) error {
	if exists, err := s.HasNamespace(ctx, ns); err != nil || !exists {
		return orElse(err, record.ErrNotFound)
	}
	clusters, err := s.Clusters(ctx, ns)
	if err != nil {
		return err
	}
	if len(clusters) > 0 {
		return fmt.Errorf("%w: please delete clusters first", record.ErrForbidden)
	}
	_, err = s.etcd.Delete(ctx, namespaceKey(ns))
	return err
}

// Clusters lists the clusters of a namespace.
func (s *Store) Clusters(ctx context.Context, ns string) ([]string, error) {
	return s.list(ctx, namespaceKey(ns)+"/cluster")
}

// Cluster reads the record of a cluster.
func (s *Store) Cluster(ctx context.Context, ns, name string) (*record.Cluster, error) {
	found, err := s.etcd.Get(ctx, clusterKey(ns, name))
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	if len(found.Kvs) == 0 {
		return nil, fmt.Errorf("cluster: %w", record.ErrNotFound)
	}
	var cluster record.Cluster
	if err := json.Unmarshal(found.Kvs[0].Value, &cluster); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	return &cluster, nil
}

// CreateCluster adds a record. It asks for no node's consent.
func (s *Store) CreateCluster(ctx context.Context, ns string, cluster *record.Cluster) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	exists, err := s.exists(ctx, clusterKey(ns, cluster.Name))
	if err != nil || exists {
		return orElse(err, fmt.Errorf("cluster: %w", record.ErrAlreadyExists))
	}
	if err := s.put(ctx, ns, cluster); err != nil {
		return err
	}
	s.emit(ns, cluster.Name, Created)
	return nil
}

// Update writes the record with the next version, which it sets in the record too. It fails with ErrOvertaken if the
// stored version is higher than the record's.
func (s *Store) Update(ctx context.Context, ns string, cluster *record.Cluster) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkVersion(ctx, ns, cluster); err != nil {
		return err
	}
	cluster.Version++
	if err := s.put(ctx, ns, cluster); err != nil {
		return err
	}
	s.emit(ns, cluster.Name, Updated)
	return nil
}

// Adopt writes the record with the version that it has, and causes no event.
func (s *Store) Adopt(ctx context.Context, ns string, cluster *record.Cluster) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkVersion(ctx, ns, cluster); err != nil {
		return err
	}
	return s.put(ctx, ns, cluster)
}

// RemoveCluster removes the record; its nodes stay as they are.
func (s *Store) RemoveCluster(ctx context.Context, ns, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone, err := s.etcd.Delete(ctx, clusterKey(ns, name))
	if err != nil || gone.Deleted == 0 {
		return orElse(err, record.ErrNotFound)
	}
	s.emit(ns, name, Removed)
	return nil
}

// CheckUnused fails if any cluster has a node with one of the addresses.
func (s *Store) CheckUnused(ctx context.Context, addrs []string) error {
	namespaces, err := s.Namespaces(ctx)
	if err != nil {
		return err
	}
	var used []string
	for _, ns := range namespaces {
		clusters, err := s.Clusters(ctx, ns)
		if err != nil {
			return err
		}
		for _, name := range clusters {
			cluster, err := s.Cluster(ctx, ns, name)
			if err != nil {
				return err
			}
			for _, node := range cluster.Nodes() {
				if slices.Contains(addrs, node.Addr) {
					used = append(used, node.Addr)
				}
			}
		}
	}
	if len(used) > 0 {
		return fmt.Errorf("node: %w: %v", record.ErrAlreadyExists, used)
	}
	return nil
}

func (s *Store) checkVersion(ctx context.Context, ns string, cluster *record.Cluster) error {
	stored, err := s.Cluster(ctx, ns, cluster.Name)
	if err != nil {
		return err
	}
	if stored.Version > cluster.Version {
		return record.ErrOvertaken
	}
	return nil
}

func (s *Store) put(ctx context.Context, ns string, cluster *record.Cluster) error {
	data, err := json.Marshal(cluster)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	_, err = s.etcd.Put(ctx, clusterKey(ns, cluster.Name), string(data))
	return err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
