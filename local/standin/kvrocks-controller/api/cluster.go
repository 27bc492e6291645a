package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/node"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

func (s *server) listClusters(r *http.Request) (int, any, error) {
	names, err := s.records.Clusters(r.Context(), r.PathValue("namespace"))
	return http.StatusOK, body{"clusters": names}, err
}

func (s *server) getCluster(r *http.Request) (int, any, error) {
	cluster, err := s.cluster(r)
	return http.StatusOK, body{"cluster": cluster}, err
}

func (s *server) createCluster(r *http.Request) (int, any, error) {
	var request struct {
		Name     string   `json:"name"`
		Nodes    []string `json:"nodes"`
		Password string   `json:"password"`
		// Replicas is the number of nodes per shard.
		Replicas int `json:"replicas"`
	}
	if err := decode(r, &request); err != nil {
		return 0, nil, err
	}
	if err := s.records.CheckUnused(r.Context(), request.Nodes); err != nil {
		return 0, nil, err
	}
	cluster, err := record.New(request.Name, request.Nodes, request.Replicas, request.Password)
	if err != nil {
		return 0, nil, bad(err)
	}
	// The header says the opposite of what its name says, in the real program too.
	if strings.EqualFold(r.Header.Get("X-Dont-Check-Cluster-Mode"), "yes") {
		if err := s.checkFresh(r, cluster); err != nil {
			return 0, nil, err
		}
	}
	err = s.records.CreateCluster(r.Context(), r.PathValue("namespace"), cluster)
	return http.StatusCreated, body{"cluster": cluster}, err
}

// checkFresh refuses nodes that have a topology.
func (s *server) checkFresh(r *http.Request, cluster *record.Cluster) error {
	for _, n := range cluster.Nodes() {
		_, err := s.nodes.ClusterInfo(r.Context(), n)
		switch {
		case err == nil:
			return bad(errors.New("node is already in cluster mode"))
		case !errors.Is(err, node.ErrNotInitialized):
			return err
		}
	}
	return nil
}

func (s *server) removeCluster(r *http.Request) (int, any, error) {
	if _, err := s.cluster(r); err != nil {
		return 0, nil, err
	}
	err := s.records.RemoveCluster(r.Context(), r.PathValue("namespace"), r.PathValue("cluster"))
	return http.StatusNoContent, nil, err
}

// importCluster believes the first of the nodes named, and asks no other.
func (s *server) importCluster(r *http.Request) (int, any, error) {
	var request struct {
		Nodes    []string `json:"nodes"`
		Password string   `json:"password"`
	}
	if err := decode(r, &request); err != nil {
		return 0, nil, err
	}
	if len(request.Nodes) == 0 {
		return 0, nil, bad(errors.New("nodes should NOT be empty"))
	}
	// A node of its own, with an id of its own, so that no client with another password is used.
	witness := record.NewShard(request.Nodes[:1], request.Password).Nodes[0]
	text, err := s.nodes.ClusterNodes(r.Context(), witness)
	if err != nil {
		return 0, nil, err
	}
	cluster, err := record.ParseNodes(text)
	if err != nil {
		return 0, nil, err
	}
	cluster.Name = r.PathValue("cluster")
	cluster.SetPassword(request.Password)
	var addrs []string
	for _, n := range cluster.Nodes() {
		addrs = append(addrs, n.Addr)
	}
	if err := s.records.CheckUnused(r.Context(), addrs); err != nil {
		return 0, nil, err
	}
	err = s.records.CreateCluster(r.Context(), r.PathValue("namespace"), cluster)
	return http.StatusOK, body{"cluster": cluster}, err
}

// migrate records that slots have another owner, or asks the present one to send them. The record that says so gets a
// new version and is pushed at once, which ends that migration with a failure.
func (s *server) migrate(r *http.Request) (int, any, error) {
	cluster, err := s.cluster(r)
	if err != nil {
		return 0, nil, err
	}
	var request struct {
		Target   int          `json:"target"`
		Slot     record.Range `json:"slot"`
		SlotOnly bool         `json:"slot_only"`
	}
	if err := decode(r, &request); err != nil {
		return 0, nil, err
	}
	if _, err := cluster.Shard(request.Target); err != nil {
		return 0, nil, err
	}
	owner, err := cluster.Owner(request.Slot)
	if err != nil {
		return 0, nil, err
	}
	if owner == request.Target {
		return 0, nil, record.ErrSameShard
	}
	if request.SlotOnly {
		cluster.Move(request.Slot, owner, request.Target)
	} else if err := s.startMigration(r, cluster, request.Slot, owner, request.Target); err != nil {
		return 0, nil, err
	}
	return s.update(r, cluster, http.StatusOK, body{"cluster": cluster})
}

func (s *server) startMigration(r *http.Request, cluster *record.Cluster, slots record.Range, from, to int) error {
	source, target := cluster.Shards[from], cluster.Shards[to]
	switch {
	case source.IsMigrating() || target.IsMigrating():
		return record.ErrMigrating
	case source.Master() == nil || target.Master() == nil:
		return record.ErrNotFound
	}
	if err := s.nodes.Migrate(r.Context(), source.Master(), slots, target.Master().ID); err != nil {
		return err
	}
	source.Migrating, source.Target = &slots, to
	return nil
}
