package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/node"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

// Records is where namespaces and clusters are kept.
type Records interface {
	Namespaces(ctx context.Context) ([]string, error)
	HasNamespace(ctx context.Context, ns string) (bool, error)
	CreateNamespace(ctx context.Context, ns string) error
	RemoveNamespace(ctx context.Context, ns string) error
	Clusters(ctx context.Context, ns string) ([]string, error)
	Cluster(ctx context.Context, ns, name string) (*record.Cluster, error)
	CreateCluster(ctx context.Context, ns string, cluster *record.Cluster) error
	Update(ctx context.Context, ns string, cluster *record.Cluster) error
	RemoveCluster(ctx context.Context, ns, name string) error
	CheckUnused(ctx context.Context, addrs []string) error
}

// Nodes is the way to kvrocks.
type Nodes interface {
	ClusterInfo(ctx context.Context, n *record.Node) (node.ClusterInfo, error)
	ClusterNodes(ctx context.Context, n *record.Node) (string, error)
	Candidates(ctx context.Context, shard *record.Shard) []record.Candidate
	Migrate(ctx context.Context, source *record.Node, slots record.Range, target string) error
}

// Election says which process leads.
type Election interface {
	Leads() bool
	Leader() string
	Addr() string
}

type server struct {
	records  Records
	nodes    Nodes
	election Election
}

// handler answers a request; what it returns goes into the data part.
type handler func(r *http.Request) (status int, data any, err error)

// New returns the handler of all paths.
func New(records Records, nodes Nodes, election Election) http.Handler {
	s := &server{records, nodes, election}
	const (
		namespaces = "/api/v1/namespaces"
		clusters   = namespaces + "/{namespace}/clusters"
		shards     = clusters + "/{cluster}/shards"
		members    = shards + "/{shard}/nodes"
	)
	mux := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET " + namespaces:                     s.listNamespaces,
		"POST " + namespaces:                    s.createNamespace,
		"GET " + namespaces + "/{namespace}":    s.getNamespace,
		"DELETE " + namespaces + "/{namespace}": s.removeNamespace,

		"GET " + clusters:                         s.inNamespace(s.listClusters),
		"POST " + clusters:                        s.inNamespace(s.createCluster),
		"GET " + clusters + "/{cluster}":          s.getCluster,
		"DELETE " + clusters + "/{cluster}":       s.removeCluster,
		"POST " + clusters + "/{cluster}/import":  s.inNamespace(s.importCluster),
		"POST " + clusters + "/{cluster}/migrate": s.migrate,

		"GET " + shards:                        s.listShards,
		"POST " + shards:                       s.createShard,
		"GET " + shards + "/{shard}":           s.getShard,
		"DELETE " + shards + "/{shard}":        s.removeShard,
		"POST " + shards + "/{shard}/failover": s.failover,

		"GET " + members:              s.listNodes,
		"POST " + members:             s.createNode,
		"DELETE " + members + "/{id}": s.removeNode,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serve(w, r, h) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fail(w, record.ErrNotFound) })
	return s.redirect(mux)
}

func serve(w http.ResponseWriter, r *http.Request, h handler) {
	status, data, err := h(r)
	switch {
	case err != nil:
		fail(w, err)
	default:
		write(w, status, answer{Data: data})
	}
}

// inNamespace refuses requests below a namespace that does not exist.
func (s *server) inNamespace(next handler) handler {
	return func(r *http.Request) (int, any, error) {
		exists, err := s.records.HasNamespace(r.Context(), r.PathValue("namespace"))
		if err != nil {
			return 0, nil, err
		}
		if !exists {
			return 0, nil, bad(errors.New("namespace not found"))
		}
		return next(r)
	}
}

// redirect imitates a follower: it sends the client to the leader and yet does what was asked. A GET is answered with a
// redirect to the leader followed by the answer; anything else with the answer itself and a header that leads nowhere.
func (s *server) redirect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.election.Leader() == "":
			write(w, http.StatusBadRequest, map[string]string{"error": "no leader now, please retry later"})
			return
		case s.election.Leads():
		case r.Method == http.MethodGet:
			http.Redirect(w, r, "http://"+s.election.Addr()+r.RequestURI, http.StatusTemporaryRedirect)
			w = bodyOnly{w}
		default:
			w.Header().Set("Location", "http://"+s.election.Leader()+r.RequestURI)
		}
		next.ServeHTTP(w, r)
	})
}

// bodyOnly adds to an answer whose header is written.
type bodyOnly struct{ http.ResponseWriter }

// WriteHeader does nothing.
func (bodyOnly) WriteHeader(int) {}

// cluster reads the record of the cluster in the request's path.
func (s *server) cluster(r *http.Request) (*record.Cluster, error) {
	return s.records.Cluster(r.Context(), r.PathValue("namespace"), r.PathValue("cluster"))
}

// shard reads the record of the cluster and the shard in the request's path.
func (s *server) shard(r *http.Request) (cluster *record.Cluster, index int, err error) {
	if cluster, err = s.cluster(r); err != nil {
		return nil, 0, err
	}
	if index, err = shardIndex(r); err != nil {
		return nil, 0, err
	}
	if _, err := cluster.Shard(index); err != nil {
		return nil, 0, err
	}
	return cluster, index, nil
}

func shardIndex(r *http.Request) (int, error) {
	index, err := strconv.Atoi(r.PathValue("shard"))
	if err != nil {
		return 0, bad(err)
	}
	return index, nil
}

// update writes a changed record and answers with data.
func (s *server) update(r *http.Request, cluster *record.Cluster, status int, data any) (int, any, error) {
	if err := s.records.Update(r.Context(), r.PathValue("namespace"), cluster); err != nil {
		return 0, nil, err
	}
	return status, data, nil
}
