package api

import (
	"errors"
	"net/http"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

func (s *server) listNodes(r *http.Request) (int, any, error) {
	cluster, index, err := s.shard(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, body{"nodes": cluster.Shards[index].Nodes}, nil
}

// createNode adds a node to a shard and answers with its id.
func (s *server) createNode(r *http.Request) (int, any, error) {
	cluster, index, err := s.shard(r)
	if err != nil {
		return 0, nil, err
	}
	request := struct {
		Addr     string `json:"addr"`
		Role     string `json:"role"`
		Password string `json:"password"`
	}{}
	if err := decode(r, &request); err != nil {
		return 0, nil, err
	}
	if request.Addr == "" {
		return 0, nil, bad(errors.New("Key: 'Addr' Error:Field validation for 'Addr' failed on the 'required' tag")) //nolint:staticcheck // The real text.
	}
	if request.Role == "" {
		request.Role = record.Slave
	}
	node, err := cluster.AddNode(index, request.Addr, request.Role, request.Password)
	if err != nil {
		return 0, nil, err
	}
	return s.update(r, cluster, http.StatusCreated, node.ID)
}

func (s *server) removeNode(r *http.Request) (int, any, error) {
	cluster, index, err := s.shard(r)
	if err != nil {
		return 0, nil, err
	}
	if err := cluster.RemoveNode(index, r.PathValue("id")); err != nil {
		return 0, nil, err
	}
	return s.update(r, cluster, http.StatusNoContent, nil)
}
