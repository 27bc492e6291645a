package kvctl_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

func id(letter string) string { return strings.Repeat(letter, 40) }

func node(letter, addr, role string) string {
	return fmt.Sprintf(`{"addr":%q,"created_at":1,"id":%q,"password":"pw","role":%q}`, addr, id(letter), role)
}

func shard(slotRanges, nodes string) string {
	return fmt.Sprintf(`{"nodes":[%s],"slot_ranges":[%s],"target_shard_index":-1,"migrating_slot":null}`, nodes, slotRanges)
}

func record(version int, shards ...string) string {
	return fmt.Sprintf(`{"data":{"cluster":{"version":%d,"name":"c","shards":[%s]}}}`, version, strings.Join(shards, ","))
}

// twoShards is a record as kvrocks-controller 1.2.0 answers it.
func twoShards() string {
	return record(4,
		shard(`"0-99","101"`, node("a", "10.0.0.1:6379", "master")+","+node("b", "10.0.0.2:6379", "slave")),
		shard(`"100","102-16383"`, node("c", "10.0.0.3:6379", "slave")+","+node("d", "10.0.0.4:6379", "master")))
}

func refused(message string) string {
	return fmt.Sprintf(`{"error":{"message":%q},"data":null}`, message)
}

const theCluster = "/api/v1/namespaces/ns/clusters/c"

// server answers each request by "<method> <path>", and notes what was asked, with the body.
type server struct {
	*httptest.Server

	mu      sync.Mutex
	answers map[string]answer
	asked   []string
}

type answer struct {
	status int
	body   string
	header http.Header
}

func serve(t *testing.T, answers map[string]answer) *server {
	t.Helper()
	s := &server{answers: answers}
	if _, ok := answers["GET /api/v1/namespaces"]; !ok {
		answers["GET /api/v1/namespaces"] = answer{status: 200, body: `{"data":{"namespaces":["ns"]}}`}
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		what := r.Method + " " + r.URL.Path
		s.mu.Lock()
		s.asked = append(s.asked, strings.TrimSpace(what+" "+string(body)))
		a, ok := s.answers[what]
		s.mu.Unlock()
		if !ok {
			a = answer{status: 404, body: refused("not found")}
		}
		maps.Copy(w.Header(), a.header)
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) set(what string, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[what] = a
}

// changes is what was asked that is no GET, since the last call.
func (s *server) changes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, what := range s.asked {
		if !strings.HasPrefix(what, "GET ") {
			list = append(list, what)
		}
	}
	s.asked = nil
	return list
}

func client(t *testing.T, url string) *kvctl.Client {
	t.Helper()
	c := kvctl.New(kvctl.Options{URL: url + "/", Namespace: "ns", Cluster: "c", Password: "pw", Timeout: 5 * time.Second})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestTheRecordIsRead(t *testing.T) {
	t.Parallel()
	body := strings.Replace(twoShards(), `"password":"pw"`, `"password":"old"`, 1)
	c := client(t, serve(t, map[string]answer{"GET " + theCluster: {status: 200, body: body}}).URL)
	got, err := c.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, &kvctl.Record{OtherPassword: true, Layout: layout.Layout{Version: 4, Shards: []layout.Shard{
		{
			Slots: slots.Of(slots.Range{First: 0, Last: 99}, slots.Range{First: 101, Last: 101}),
			Nodes: []layout.Node{
				{ID: id("a"), Address: "10.0.0.1", Port: 6379, Master: true}, {ID: id("b"), Address: "10.0.0.2", Port: 6379},
			},
		},
		{
			Slots: slots.Of(slots.Range{First: 100, Last: 100}, slots.Range{First: 102, Last: 16383}),
			Nodes: []layout.Node{{ID: id("c"), Address: "10.0.0.3", Port: 6379}, {ID: id("d"), Address: "10.0.0.4", Port: 6379, Master: true}},
		},
	}}}, got)
	assert.NotContains(t, fmt.Sprintf("%+v", got), "old", "no password leaves the package")
}

func TestAnswersHaveTheirErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer answer
		want   error
		text   string
	}{
		"no record":             {answer{status: 404, body: refused("cluster: not found")}, kvctl.ErrNotFound, "cluster: not found"},
		"no namespace":          {answer{status: 400, body: refused("namespace not found")}, kvctl.ErrNotFound, "namespace"},
		"exists":                {answer{status: 409, body: refused("cluster: already exists")}, kvctl.ErrExists, "already"},
		"refused":               {answer{status: 400, body: refused("shard is servicing")}, kvctl.ErrRefused, "servicing"},
		"forbidden":             {answer{status: 403, body: refused("forbidden")}, kvctl.ErrRefused, "forbidden"},
		"refused with 500":      {answer{status: 500, body: refused("no match new master in shard")}, kvctl.ErrRefused, "no match"},
		"nobody leads":          {answer{status: 400, body: `{"error":"no leader now, please retry later"}`}, kvctl.ErrUnavailable, "leader"},
		"no etcd":               {answer{status: 500, body: refused("context deadline exceeded")}, kvctl.ErrUnavailable, "deadline"},
		"etcd without a leader": {answer{status: 500, body: refused("etcdserver: no leader")}, kvctl.ErrUnavailable, "etcdserver"},
		"a proxy's 404":         {answer{status: 404, body: "<html>not found</html>"}, kvctl.ErrUnavailable, "404"},
		"somebody else's 404":   {answer{status: 404, body: `{"message":"no route"}`}, kvctl.ErrUnavailable, "404"},
		"a proxy's 503":         {answer{status: 503, body: "upstream"}, kvctl.ErrUnavailable, "503"},
		"another redirect":      {answer{status: 302, body: "{}", header: http.Header{"Location": {"/"}}}, kvctl.ErrUnavailable, "302"},
		"nothing":               {answer{status: 200}, kvctl.ErrUnavailable, "200"},
		"null":                  {answer{status: 200, body: "null"}, kvctl.ErrUnavailable, ""},
		"no cluster in it":      {answer{status: 200, body: `{"data":{}}`}, kvctl.ErrUnavailable, "no record"},
		"no version":            {answer{status: 200, body: `{"data":{"cluster":{"shards":[]}}}`}, kvctl.ErrUnavailable, "no record"},
		"an odd node":           {answer{status: 200, body: record(1, shard(`"0"`, `{"id":"x"}`))}, kvctl.ErrUnavailable, "id"},
		"odd slots":             {answer{status: 200, body: record(1, shard(`"9-5"`, ""))}, kvctl.ErrUnavailable, "9-5"},
		"slots owned twice":     {answer{status: 200, body: record(1, shard(`"5"`, ""), shard(`"0-9"`, ""))}, kvctl.ErrUnavailable, "two shards"},
		"a redirect to nowhere": {answer{status: 307, header: http.Header{"Location": {"gopher://x"}}}, kvctl.ErrUnavailable, "nowhere"},
		"a password quoted":     {answer{status: 500, body: refused("AUTH pw failed")}, kvctl.ErrRefused, "AUTH *** failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client(t, serve(t, map[string]answer{"GET " + theCluster: test.answer}).URL).Get(t.Context())
			require.ErrorIs(t, err, test.want)
			assert.ErrorContains(t, err, test.text)
		})
	}
}

func TestNobodyIsUnavailable(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	_, err := client(t, gone.URL).Get(t.Context())
	require.ErrorIs(t, err, kvctl.ErrUnavailable)

	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hung.Close)
	var requests int
	c := kvctl.New(kvctl.Options{
		URL: hung.URL, Namespace: "ns", Cluster: "c", Timeout: 50 * time.Millisecond,
		OnRequest: func(op string, took time.Duration, err error) {
			requests++
			assert.Equal(t, "read the record", op)
			assert.GreaterOrEqual(t, took, 50*time.Millisecond)
			assert.Error(t, err)
		},
	})
	_, err = c.Get(t.Context())
	require.ErrorIs(t, err, kvctl.ErrUnavailable)
	assert.Equal(t, 1, requests)

	_, err = client(t, ":no url").Get(t.Context())
	require.ErrorIs(t, err, kvctl.ErrRefused)
}

// replicas are a follower, which sends reads to the leader and carries out changes itself, and the leader.
func replicas(t *testing.T) (follower, leader *server) {
	t.Helper()
	leader = serve(t, map[string]answer{
		"GET " + theCluster:    {status: 200, body: twoShards()},
		"DELETE " + theCluster: {status: 204},
	})
	to := func(path string) answer {
		return answer{status: 307, header: http.Header{"Location": {leader.URL + path}}}
	}
	follower = serve(t, map[string]answer{
		"GET " + theCluster:      to(theCluster),
		"GET /api/v1/namespaces": to("/api/v1/namespaces"),
		"DELETE " + theCluster:   {status: 204},
	})
	return follower, leader
}

func TestChangesGoToTheLeaderAlone(t *testing.T) {
	t.Parallel()
	follower, leader := replicas(t)
	c := client(t, follower.URL)
	require.NoError(t, c.Delete(t.Context()))
	assert.Empty(t, follower.changes())
	assert.Equal(t, []string{"DELETE " + theCluster}, leader.changes())

	leader.set("POST /api/v1/namespaces/ns/clusters", answer{status: 201, body: twoShards()})
	require.NoError(t, c.Create(t.Context(), [][]string{{"h:1"}}))
	assert.Empty(t, follower.changes())
	assert.Len(t, leader.changes(), 1)
}

func TestAnotherLeaderIsFound(t *testing.T) {
	t.Parallel()
	follower, leader := replicas(t)
	c := client(t, follower.URL)
	_, err := c.Get(t.Context())
	require.NoError(t, err)
	leader.Close()
	follower.set("GET "+theCluster, answer{status: 200, body: twoShards()})
	got, err := c.Get(t.Context())
	require.NoError(t, err, "who led is gone, and the Service knows another one")
	assert.Equal(t, int64(4), got.Version)
	require.NoError(t, c.Delete(t.Context()))
	assert.Equal(t, []string{"DELETE " + theCluster}, follower.changes())
}

func TestALeaderThatIsGoneIsNamed(t *testing.T) {
	t.Parallel()
	follower, leader := replicas(t)
	gone := leader.URL
	leader.Close()
	c := client(t, follower.URL)
	for range 2 {
		_, err := c.Get(t.Context())
		require.ErrorIs(t, err, kvctl.ErrUnavailable)
		require.ErrorIs(t, err, kvctl.ErrLeaderGone)
		require.ErrorContains(t, err, gone)
	}
	follower.Close()
	_, err := c.Get(t.Context())
	require.ErrorIs(t, err, kvctl.ErrUnavailable)
	assert.NotErrorIs(t, err, kvctl.ErrLeaderGone, "nobody is there to send anywhere")
}

func TestALoopOfRedirectsEnds(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]answer{})
	s.set("GET "+theCluster, answer{status: 307, header: http.Header{"Location": {s.URL + theCluster}}})
	_, err := client(t, s.URL).Get(t.Context())
	require.ErrorIs(t, err, kvctl.ErrUnavailable)
	assert.ErrorContains(t, err, "one another")
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(twoShards()))
	f.Add([]byte(refused("cluster: not found")))
	f.Add([]byte(`{"data":{"cluster":{"version":1,"shards":[{"nodes":[],"slot_ranges":null}]}}}`))
	f.Add([]byte(`{"error":"no leader now"}`))
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	f.Cleanup(s.Close)
	c := kvctl.New(kvctl.Options{URL: s.URL, Namespace: "ns", Cluster: "c"})
	f.Fuzz(func(t *testing.T, data []byte) {
		body = data
		got, err := c.Get(t.Context())
		if err != nil {
			assert.Nil(t, got)
			return
		}
		assert.True(t, json.Valid(data))
		var owned int
		for _, shard := range got.Shards {
			owned += shard.Slots.Len()
			for _, n := range shard.Nodes {
				assert.Len(t, n.ID, 40)
			}
		}
		assert.LessOrEqual(t, owned, slots.Count, "no slot has two owners")
	})
}
