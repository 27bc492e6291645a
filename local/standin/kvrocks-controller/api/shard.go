package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

func (s *server) listShards(r *http.Request) (int, any, error) {
	cluster, err := s.cluster(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, body{"shards": cluster.Shards}, nil
}

func (s *server) getShard(r *http.Request) (int, any, error) {
	cluster, index, err := s.shard(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, body{"shard": cluster.Shards[index]}, nil
}

// createShard adds a shard without slots. It compares the addresses with no others.
func (s *server) createShard(r *http.Request) (int, any, error) {
	cluster, err := s.cluster(r)
	if err != nil {
		return 0, nil, err
	}
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
	shard := record.NewShard(request.Nodes, request.Password)
	cluster.Shards = append(cluster.Shards, shard)
	return s.update(r, cluster, http.StatusCreated, body{"shard": shard})
}

func (s *server) removeShard(r *http.Request) (int, any, error) {
	cluster, err := s.cluster(r)
	if err != nil {
		return 0, nil, err
	}
	index, err := shardIndex(r)
	if err != nil {
		return 0, nil, err
	}
	if err := cluster.RemoveShard(index); err != nil {
		return 0, nil, bad(err)
	}
	return s.update(r, cluster, http.StatusNoContent, nil)
}

// failover promotes a replica. The old master is neither asked nor stopped.
func (s *server) failover(r *http.Request) (int, any, error) {
	cluster, index, err := s.shard(r)
	if err != nil {
		return 0, nil, err
	}
	var request struct {
		PreferredNodeID string `json:"preferred_node_id"`
	}
	if err := decode(r, &request); err != nil {
		return 0, nil, err
	}
	if id := request.PreferredNodeID; id != "" && len(id) != record.IDLength {
		return 0, nil, bad(fmt.Errorf("invalid node id: %s", id))
	}
	shard := cluster.Shards[index]
	if err := shard.CheckPromotion(""); err != nil {
		return 0, nil, err
	}
	promoted, err := shard.Promote(s.nodes.Candidates(r.Context(), shard), request.PreferredNodeID)
	if err != nil {
		return 0, nil, err
	}
	return s.update(r, cluster, http.StatusOK, body{"new_master_id": promoted})
}
