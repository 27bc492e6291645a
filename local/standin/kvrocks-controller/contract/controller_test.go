package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// etcd is a store with one member.
type etcd struct {
	t            *testing.T
	client, peer int
	dir          string
	process      *programtest.Process
}

func newEtcd(t *testing.T) *etcd {
	t.Helper()
	return &etcd{t: t, client: programtest.FreePort(t), peer: programtest.FreePort(t), dir: t.TempDir()}
}

func startEtcd(t *testing.T) *etcd {
	t.Helper()
	e := newEtcd(t)
	e.start()
	return e
}

func (e *etcd) start() {
	e.t.Helper()
	client, peer := "http://"+programtest.Local(e.client), "http://"+programtest.Local(e.peer)
	e.process = programtest.Launch(e.t, e.dir+".log", programs.etcd, "--data-dir="+filepath.Join(e.dir, "data"), "--log-level=warn",
		"--unsafe-no-fsync", "--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer)
	programtest.AwaitEqual(e.t, true, func() bool {
		answer, err := http.Get(client + "/health")
		if err != nil {
			return false
		}
		defer func() { _ = answer.Body.Close() }()
		return answer.StatusCode == http.StatusOK
	}, "etcd is healthy")
}

// loseData removes what a stopped etcd has stored.
func (e *etcd) loseData() {
	e.t.Helper()
	require.NoError(e.t, os.RemoveAll(filepath.Join(e.dir, "data")))
}

// controller is a program under test.
type controller struct {
	t       *testing.T
	port    int
	config  string
	process *programtest.Process
	client  *http.Client
}

// slow is a probe interval, in seconds, that never passes in a test.
const slow = 3600

// newController writes the configuration of a controller that probes at the interval, in seconds.
func newController(t *testing.T, store *etcd, interval int) *controller {
	t.Helper()
	c := &controller{t: t, port: programtest.FreePort(t), config: filepath.Join(t.TempDir(), "config.yaml")}
	text := fmt.Sprintf(`addr: "%s"
storage_type: etcd
etcd:
  addrs: ["%s"]
controller:
  failover:
    ping_interval_seconds: %d
    max_ping_count: 3
`, programtest.Local(c.port), programtest.Local(store.client), interval)
	require.NoError(t, os.WriteFile(c.config, []byte(text), 0o644))
	c.client = &http.Client{
		Timeout:       programtest.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(c.client.CloseIdleConnections)
	return c
}

// startController starts a controller with an etcd of its own and waits until it leads.
func startController(t *testing.T, interval int) *controller {
	t.Helper()
	c := newController(t, startEtcd(t), interval)
	c.start()
	return c
}

// launch starts the process and does not wait for it to answer.
func (c *controller) launch() {
	c.t.Helper()
	c.process = programtest.Launch(c.t, c.config+".log", programs.controller, "-c", c.config)
}

func (c *controller) start() {
	c.t.Helper()
	c.launch()
	c.awaitLeading()
}

func (c *controller) awaitLeading() {
	c.t.Helper()
	programtest.AwaitEqual(c.t, http.StatusOK, func() int { return c.status("GET", "/api/v1/namespaces", "") }, "the leader answers")
}

func (c *controller) url() string { return "http://" + programtest.Local(c.port) }

// status is that of an answer, or 0 without one.
func (c *controller) status(method, path, body string) int {
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url()+path, bytes.NewBufferString(body))
	require.NoError(c.t, err)
	answer, err := c.client.Do(request)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// send sends a prepared request and returns the status and the text of the answer.
func (c *controller) send(request *http.Request) (int, string) {
	c.t.Helper()
	answer, err := c.client.Do(request)
	require.NoError(c.t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(c.t, err)
	return answer.StatusCode, string(text)
}

// call sends a request and returns the answer and its text.
func (c *controller) call(method, path, body string) (*http.Response, string) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url()+path, bytes.NewBufferString(body))
	require.NoError(c.t, err)
	answer, err := c.client.Do(request)
	require.NoError(c.t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(c.t, err)
	return answer, string(text)
}

// must sends a request that has to succeed with the status, and decodes the data part into each of the targets.
func (c *controller) must(status int, method, path, body string, into ...any) {
	c.t.Helper()
	answer, text := c.call(method, path, body)
	require.Equal(c.t, status, answer.StatusCode, "%s %s %s: %s", method, path, body, text)
	for _, target := range into {
		data := struct {
			Data any `json:"data"`
		}{target}
		require.NoError(c.t, json.Unmarshal([]byte(text), &data), text)
	}
}

const (
	namespaces = "/api/v1/namespaces"
	clusters   = namespaces + "/ns/clusters"
	theCluster = clusters + "/c"
)

// clusterView is the record as the API gives it.
type clusterView struct {
	Name    string
	Version int64
	Shards  []shardView
}

type shardView struct {
	Nodes            []nodeView
	SlotRanges       []string `json:"slot_ranges"`
	TargetShardIndex int      `json:"target_shard_index"`
	MigratingSlot    *string  `json:"migrating_slot"`
}

type nodeView struct {
	ID, Addr, Role, Password string
	CreatedAt                int64 `json:"created_at"`
}

// create makes a namespace and in it a cluster of the nodes.
func (c *controller) create(perShard int, password string, addrs ...string) clusterView {
	c.t.Helper()
	c.must(http.StatusCreated, "POST", namespaces, `{"namespace":"ns"}`)
	body, err := json.Marshal(map[string]any{"name": "c", "nodes": addrs, "replicas": perShard, "password": password})
	require.NoError(c.t, err)
	var created struct{ Cluster clusterView }
	c.must(http.StatusCreated, "POST", clusters, string(body), &created)
	return created.Cluster
}

func (c *controller) get() clusterView {
	c.t.Helper()
	var found struct{ Cluster clusterView }
	c.must(http.StatusOK, "GET", theCluster, "", &found)
	return found.Cluster
}

// shardOf finds a shard by a node's address: indexes change.
func (v clusterView) shardOf(addr string) shardView {
	for _, shard := range v.Shards {
		if slices.ContainsFunc(shard.Nodes, func(n nodeView) bool { return n.Addr == addr }) {
			return shard
		}
	}
	return shardView{}
}

func (v clusterView) node(addr string) nodeView {
	for _, n := range v.shardOf(addr).Nodes {
		if n.Addr == addr {
			return n
		}
	}
	return nodeView{}
}

// role is what the record says of a node, or empty if it has no such node.
func (v clusterView) role(addr string) string { return v.node(addr).Role }

func (v clusterView) id(addr string) string { return v.node(addr).ID }

// settle lets a time pass in which nothing must happen.
func settle(d time.Duration) { time.Sleep(d) }
