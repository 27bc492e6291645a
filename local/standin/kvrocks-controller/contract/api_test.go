package contract

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Addresses at which nothing listens.
const (
	dead1, dead2, dead3 = "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"
)

// message is an answer with an error.
func message(text string) string { return `{"error":{"message":"` + text + `"},"data":null}` }

func TestNamespaces(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	for _, step := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", namespaces, "", 200, `{"data":{"namespaces":[]}}`},
		{"POST", namespaces, `{"namespace":"ns"}`, 201, `{"data":{"namespace":"ns"}}`},
		{"POST", namespaces, `{"namespace":"ns"}`, 409, message("already exists")},
		{"POST", namespaces, `{}`, 400, message("namespace should NOT be empty")},
		{"POST", namespaces, ``, 400, message("EOF")},
		{"GET", namespaces, "", 200, `{"data":{"namespaces":["ns"]}}`},
		{"GET", namespaces + "/ns", "", 200, `{"data":null}`},
		{"GET", namespaces + "/no", "", 404, message("not found")},
		{"GET", clusters, "", 200, `{"data":{"clusters":[]}}`},
		{"GET", namespaces + "/no/clusters", "", 400, message("namespace not found")},
		{"POST", clusters, `{"name":"c","nodes":["127.0.0.1:1"]}`, 201, ""},
		{"GET", clusters, "", 200, `{"data":{"clusters":["c"]}}`},
		{"DELETE", namespaces + "/ns", "", 403, message("forbidden: please delete clusters first")},
		{"DELETE", theCluster, "", 204, ""},
		{"DELETE", theCluster, "", 404, message("cluster: not found")},
		{"DELETE", namespaces + "/ns", "", 204, ""},
		{"DELETE", namespaces + "/ns", "", 404, message("not found")},
		{"GET", "/api/v1/nosuch", "", 404, message("not found")},
		{"PUT", namespaces, "", 404, message("not found")},
	} {
		answer, text := c.call(step.method, step.path, step.body)
		assert.Equal(t, step.status, answer.StatusCode, "%v", step)
		if step.want != "" {
			assert.Equal(t, step.want, text, "%v", step)
		}
		if answer.StatusCode < http.StatusBadRequest {
			assert.Equal(t, "application/json; charset=utf-8", answer.Header.Get("Content-Type"))
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	c.create(2, "", dead1, dead2, dead3, "127.0.0.1:4")
	const shard = theCluster + "/shards/0"
	master := c.get().id(dead1)
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", clusters, `{}`, 400, "cluster nodes should NOT be empty"},
		{"POST", clusters, `{"name":"d","nodes":["a:1"],"replicas":-1}`, 400, "replicas should NOT be less than 0"},
		{"POST", clusters, `{"name":"d","nodes":["a:1","a:2","a:3"],"replicas":2}`, 400, "cluster nodes should be divisible by replicas"},
		{"POST", clusters, `{"name":"c","nodes":["a:1"]}`, 409, "cluster: already exists"},
		{"POST", clusters, `{"name":"d","nodes":["a:1","127.0.0.1:2"]}`, 409, "node: already exists: [127.0.0.1:2]"},
		{"POST", namespaces + "/no/clusters", `{"name":"d","nodes":["a:1"]}`, 400, "namespace not found"},
		{"GET", clusters + "/no", "", 404, "cluster: not found"},
		{"GET", namespaces + "/no/clusters/c", "", 404, "cluster: not found"},
		{"DELETE", clusters + "/no", "", 404, "cluster: not found"},

		{"POST", clusters + "/d/import", `{"nodes":[]}`, 400, "nodes should NOT be empty"},
		{"POST", clusters + "/d/import", `{"nodes":["127.0.0.1:9"]}`, 500, "dial tcp 127.0.0.1:9: connect: connection refused"},
		{"POST", namespaces + "/no/clusters/d/import", `{"nodes":["127.0.0.1:9"]}`, 400, "namespace not found"},

		{"POST", theCluster + "/migrate", ``, 400, "EOF"},
		{"POST", theCluster + "/migrate", `{}`, 500, "source and target shard is same"},
		{"POST", theCluster + "/migrate", `{"target":1,"slot":"5-6-7"}`, 400, "invalid argument, cannot have more than one range"},
		{"POST", theCluster + "/migrate", `{"target":1,"slot":"16384"}`, 400, "slot id was out of range, should be between 0 and 16383"},
		{"POST", theCluster + "/migrate", `{"target":1,"slot":"9-5"}`, 400, "start slot id greater than stop slot id"},
		{"POST", theCluster + "/migrate", `{"target":1,"slot":"x"}`, 400, `strconv.Atoi: parsing \"x\": invalid syntax`},
		{"POST", theCluster + "/migrate", `{"target":9,"slot":"5"}`, 400, "index out of range"},
		{"POST", theCluster + "/migrate", `{"target":0,"slot":"5"}`, 500, "source and target shard is same"},
		{"POST", theCluster + "/migrate", `{"target":1,"slot":"5-9000"}`, 500, "slot range belongs to multiple shards"},
		{"POST", theCluster + "/migrate", `{"target":1,"slot":"5"}`, 500, "dial tcp 127.0.0.1:1: connect: connection refused"},
		{"POST", clusters + "/no/migrate", `{"target":1,"slot":"5"}`, 404, "cluster: not found"},

		{"GET", theCluster + "/shards/7", "", 400, "index out of range"},
		{"POST", theCluster + "/shards", `{}`, 400, "nodes should NOT be empty"},
		{"DELETE", theCluster + "/shards/7", "", 400, "index out of range"},
		{"DELETE", theCluster + "/shards/x", "", 400, `strconv.Atoi: parsing \"x\": invalid syntax`},
		{"DELETE", shard, "", 400, "shard is servicing"},

		{"POST", shard + "/failover", "", 400, "EOF"},
		{"POST", shard + "/failover", `{"preferred_node_id":"x"}`, 400, "invalid node id: x"},
		{"POST", shard + "/failover", `{}`, 500, "no match new master in shard"},

		{"POST", shard + "/nodes", `{}`, 400, "Key: 'Addr' Error:Field validation for 'Addr' failed on the 'required' tag"},
		{"POST", shard + "/nodes", `{"addr":"a:1","role":"leader"}`, 400, "invalid argument: role"},
		{"POST", shard + "/nodes", `{"addr":"a:1","role":"master"}`, 409, "master node already exists"},
		{"POST", shard + "/nodes", `{"addr":"127.0.0.1:1"}`, 409, "already exists"},
		{"DELETE", shard + "/nodes/x", "", 404, "not found"},
		{"DELETE", shard + "/nodes/" + master, "", 400, "cannot remove master node: invalid argument"},
	} {
		answer, text := c.call(test.method, test.path, test.body)
		assert.Equal(t, test.status, answer.StatusCode, "%s %s %s", test.method, test.path, test.body)
		assert.Equal(t, message(test.want), text, "%s %s %s", test.method, test.path, test.body)
	}
	_, text := c.call("POST", theCluster+"/migrate", `{"target":1,"slot":5}`)
	assert.Contains(t, text, "json: cannot unmarshal number", "a slot is a string")
	assert.EqualValues(t, 1, c.get().Version, "nothing was changed")
}

func TestShapeOfTheRecord(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	created := c.create(2, "pw", dead1, dead2, dead3, "127.0.0.1:4")
	assert.EqualValues(t, 1, created.Version)
	assert.Equal(t, created, c.get())

	_, text := c.call("GET", theCluster, "")
	for _, n := range created.Shards[0].Nodes {
		assert.Regexp(t, `^[A-Za-z0-9]{40}$`, n.ID)
		assert.Positive(t, n.CreatedAt)
		text = strings.ReplaceAll(text, n.ID, "ID")
	}
	assert.Contains(t, text, `{"data":{"cluster":{"version":1,"name":"c","shards":[{"nodes":[{"addr":"127.0.0.1:1","created_at":`)
	assert.Contains(t, text, `,"id":"ID","password":"pw","role":"master"},{"addr":"127.0.0.1:2","created_at":`)
	assert.Contains(t, text, `,"id":"ID","password":"pw","role":"slave"}],"slot_ranges":["0-8191"],"target_shard_index":-1,"migrating_slot":null},`)

	var shards struct{ Shards []shardView }
	c.must(http.StatusOK, "GET", theCluster+"/shards", "", &shards)
	assert.Equal(t, created.Shards, shards.Shards)
	var shard struct{ Shard shardView }
	c.must(http.StatusOK, "GET", theCluster+"/shards/1", "", &shard)
	assert.Equal(t, created.Shards[1], shard.Shard)
	var nodes struct{ Nodes []nodeView }
	c.must(http.StatusOK, "GET", theCluster+"/shards/1/nodes", "", &nodes)
	assert.Equal(t, created.Shards[1].Nodes, nodes.Nodes)
}

func TestSlotsAreSpreadEvenly(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	created := c.create(0, "", dead1, dead2, dead3)
	var slots []string
	for _, shard := range created.Shards {
		require.Len(t, shard.Nodes, 1, "no replicas means one node per shard")
		slots = append(slots, shard.SlotRanges...)
	}
	assert.Equal(t, []string{"0-5460", "5461-10921", "10922-16383"}, slots)
}

func TestSlotOnlyMigrationMovesTheRecordedSlots(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	c.create(1, "", dead1, dead2)
	for i, step := range []struct {
		body         string
		first, other []string
	}{
		{`{"target":1,"slot":"5","slot_only":true}`, []string{"0-4", "6-8191"}, []string{"5", "8192-16383"}},
		{`{"target":1,"slot":"8000-8191","slot_only":true}`, []string{"0-4", "6-7999"}, []string{"5", "8000-16383"}},
		{`{"target":1,"slot":"4","slot_only":true}`, []string{"0-3", "6-7999"}, []string{"4-5", "8000-16383"}},
		{`{"target":0,"slot":"4-5","slot_only":true}`, []string{"0-7999"}, []string{"8000-16383"}},
		{`{"target":1,"slot":"0-7999","slot_only":true}`, []string{}, []string{"0-16383"}},
	} {
		var moved struct{ Cluster clusterView }
		c.must(http.StatusOK, "POST", theCluster+"/migrate", step.body, &moved)
		assert.EqualValues(t, i+2, moved.Cluster.Version, "each change is a version")
		assert.Equal(t, step.first, moved.Cluster.Shards[0].SlotRanges, step.body)
		assert.Equal(t, step.other, moved.Cluster.Shards[1].SlotRanges, step.body)
		assert.Equal(t, moved.Cluster, c.get())
	}
	c.must(http.StatusNoContent, "DELETE", theCluster+"/shards/0", "")
	assert.Equal(t, dead2, c.get().Shards[0].Nodes[0].Addr, "the shards behind a removed one move up")
	assert.EqualValues(t, 7, c.get().Version)
}

func TestShardsAndNodesComeAndGo(t *testing.T) {
	t.Parallel()
	c := startController(t, slow)
	c.create(1, "pw", dead1)
	var added struct{ Shard shardView }
	c.must(http.StatusCreated, "POST", theCluster+"/shards", `{"nodes":["127.0.0.1:2","127.0.0.1:3"],"password":"pw"}`, &added)
	assert.Equal(t, []string{}, added.Shard.SlotRanges)
	assert.Equal(t, "master", c.get().role(dead2))
	assert.Equal(t, "slave", c.get().role(dead3))
	assert.EqualValues(t, 2, c.get().Version)

	var id string
	c.must(http.StatusCreated, "POST", theCluster+"/shards/0/nodes", `{"addr":"127.0.0.1:4"}`, &id)
	got := c.get().node("127.0.0.1:4")
	assert.Equal(t, nodeView{ID: id, Addr: "127.0.0.1:4", Role: "slave", CreatedAt: got.CreatedAt}, got, "the password is not inherited")
	assert.EqualValues(t, 3, c.get().Version)

	c.must(http.StatusNoContent, "DELETE", theCluster+"/shards/0/nodes/"+id, "")
	c.must(http.StatusNoContent, "DELETE", theCluster+"/shards/1", "")
	assert.Len(t, c.get().Shards, 1)
	assert.Len(t, c.get().Shards[0].Nodes, 1)
	assert.EqualValues(t, 5, c.get().Version)

	// Only creating a cluster compares addresses.
	c.must(http.StatusCreated, "POST", theCluster+"/shards", `{"nodes":["127.0.0.1:1"]}`)
}
