package api

import (
	"errors"
	"net/http"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

func (s *server) listNamespaces(r *http.Request) (int, any, error) {
	names, err := s.records.Namespaces(r.Context())
	return http.StatusOK, body{"namespaces": names}, err
}

func (s *server) getNamespace(r *http.Request) (int, any, error) {
	exists, err := s.records.HasNamespace(r.Context(), r.PathValue("namespace"))
	if err == nil && !exists {
		err = record.ErrNotFound
	}
	return http.StatusOK, nil, err
}

func (s *server) createNamespace(r *http.Request) (int, any, error) {
	var request struct {
		Namespace string `json:"namespace"`
	}
	if err := decode(r, &request); err != nil {
		return 0, nil, err
	}
	if request.Namespace == "" {
		return 0, nil, bad(errors.New("namespace should NOT be empty"))
	}
	err := s.records.CreateNamespace(r.Context(), request.Namespace)
	return http.StatusCreated, body{"namespace": request.Namespace}, err
}

func (s *server) removeNamespace(r *http.Request) (int, any, error) {
	return http.StatusNoContent, nil, s.records.RemoveNamespace(r.Context(), r.PathValue("namespace"))
}
