package kvctl_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	const clusters = "/api/v1/namespaces/ns/clusters"
	for name, test := range map[string]struct {
		answers map[string]answer
		change  func(ctx context.Context, c *kvctl.Client) error
		sent    []string
		want    error
	}{
		"create, shards of one size": {
			answers: map[string]answer{"POST " + clusters: {status: 201, body: twoShards()}},
			change: func(ctx context.Context, c *kvctl.Client) error {
				return c.Create(ctx, [][]string{{"h:1", "h:2", "h:3"}, {"h:4", "h:5"}})
			},
			sent: []string{"POST " + clusters + ` {"name":"c","nodes":["h:1","h:2","h:4","h:5"],"replicas":2,"password":"pw"}`},
		},
		"create without nodes": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.Create(ctx, [][]string{{"h:1"}, nil}) },
			want:   kvctl.ErrRefused,
		},
		"create what exists": {
			answers: map[string]answer{"POST " + clusters: {status: 409, body: refused("cluster: already exists")}},
			change:  func(ctx context.Context, c *kvctl.Client) error { return c.Create(ctx, [][]string{{"h:1"}}) },
			sent:    []string{"POST " + clusters + ` {"name":"c","nodes":["h:1"],"replicas":1,"password":"pw"}`},
			want:    kvctl.ErrExists,
		},
		"import": {
			answers: map[string]answer{"POST " + theCluster + "/import": {status: 200, body: twoShards()}},
			change:  func(ctx context.Context, c *kvctl.Client) error { return c.Import(ctx, "h:1") },
			sent:    []string{"POST " + theCluster + `/import {"nodes":["h:1"],"password":"pw"}`},
		},
		"delete what is gone": {
			answers: map[string]answer{"GET " + theCluster: {status: 404, body: refused("cluster: not found")}},
			change:  func(ctx context.Context, c *kvctl.Client) error { return c.Delete(ctx) },
		},
		"add a shard": {
			answers: map[string]answer{"POST " + theCluster + "/shards": {status: 201, body: `{"data":{"shard":{}}}`}},
			change:  func(ctx context.Context, c *kvctl.Client) error { return c.AddShard(ctx, []string{"h:1", "h:2"}) },
			sent:    []string{"POST " + theCluster + `/shards {"nodes":["h:1","h:2"],"password":"pw"}`},
		},
		"add a shard that is there": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.AddShard(ctx, []string{"10.0.0.3:6379"}) },
		},
		"add a shard of nothing": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.AddShard(ctx, nil) },
			want:   kvctl.ErrRefused,
		},
		"remove a shard by any of its nodes": {
			answers: map[string]answer{
				"GET " + theCluster: {status: 200, body: record(4,
					shard(`"0-16383"`, node("a", "h:1", "master")), shard("", node("c", "h:3", "master")))},
				"DELETE " + theCluster + "/shards/1": {status: 204},
			},
			change: func(ctx context.Context, c *kvctl.Client) error { return c.RemoveShard(ctx, id("c")) },
			sent:   []string{"DELETE " + theCluster + "/shards/1"},
		},
		"remove a shard with slots": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.RemoveShard(ctx, id("c")) },
			want:   kvctl.ErrRefused,
		},
		"remove a shard that is gone": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.RemoveShard(ctx, id("x")) },
		},
		"add a node": {
			answers: map[string]answer{"POST " + theCluster + "/shards/1/nodes": {status: 201, body: `{"data":"` + id("e") + `"}`}},
			change:  func(ctx context.Context, c *kvctl.Client) error { return c.AddNode(ctx, id("d"), "h:9") },
			sent:    []string{"POST " + theCluster + `/shards/1/nodes {"addr":"h:9","role":"slave","password":"pw"}`},
		},
		"add a node that is there": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.AddNode(ctx, id("d"), "10.0.0.2:6379") },
		},
		"add a node to nobody": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.AddNode(ctx, id("x"), "h:9") },
			want:   kvctl.ErrChanged,
		},
		"remove a node": {
			answers: map[string]answer{"DELETE " + theCluster + "/shards/1/nodes/" + id("c"): {status: 204}},
			change:  func(ctx context.Context, c *kvctl.Client) error { return c.RemoveNode(ctx, id("c")) },
			sent:    []string{"DELETE " + theCluster + "/shards/1/nodes/" + id("c")},
		},
		"remove a node that is gone": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.RemoveNode(ctx, id("x")) },
		},
		"remove a master": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.RemoveNode(ctx, id("d")) },
			want:   kvctl.ErrRefused,
		},
		"fail over": {
			answers: map[string]answer{
				"POST " + theCluster + "/shards/1/failover": {status: 200, body: `{"data":{"new_master_id":"` + id("c") + `"}}`},
			},
			change: func(ctx context.Context, c *kvctl.Client) error { return c.FailOver(ctx, id("d"), id("c")) },
			sent:   []string{"POST " + theCluster + `/shards/1/failover {"preferred_node_id":"` + id("c") + `"}`},
		},
		"fail over to somebody else": {
			answers: map[string]answer{
				"POST " + theCluster + "/shards/1/failover": {status: 200, body: `{"data":{"new_master_id":"` + id("e") + `"}}`},
			},
			change: func(ctx context.Context, c *kvctl.Client) error { return c.FailOver(ctx, id("d"), id("c")) },
			sent:   []string{"POST " + theCluster + `/shards/1/failover {"preferred_node_id":"` + id("c") + `"}`},
			want:   kvctl.ErrChanged,
		},
		"fail over to who is master": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.FailOver(ctx, id("c"), id("d")) },
		},
		"fail over from who is not": {
			change: func(ctx context.Context, c *kvctl.Client) error { return c.FailOver(ctx, id("x"), id("c")) },
			want:   kvctl.ErrChanged,
		},
		"record slots that are there": {
			change: func(ctx context.Context, c *kvctl.Client) error {
				return c.RecordSlots(ctx, slots.Range{First: 5, Last: 9}, id("b"))
			},
		},
		"record slots of two shards": {
			answers: map[string]answer{"GET " + theCluster: {status: 200, body: record(4,
				shard(`"0-9"`, node("a", "h:1", "master")), shard(`"10-19"`, node("b", "h:2", "master")), shard("", node("c", "h:3", "master")))}},
			change: func(ctx context.Context, c *kvctl.Client) error {
				return c.RecordSlots(ctx, slots.Range{First: 5, Last: 15}, id("c"))
			},
			want: kvctl.ErrChanged,
		},
		"nobody leads": {
			answers: map[string]answer{"GET /api/v1/namespaces": {status: 400, body: `{"error":"no leader now, please retry later"}`}},
			change:  func(ctx context.Context, c *kvctl.Client) error { return c.Import(ctx, "h:1") },
			want:    kvctl.ErrUnavailable,
		},
		"the leader becomes a follower": {
			answers: map[string]answer{"DELETE " + theCluster: {status: 307, header: map[string][]string{"Location": {"http://h:1/"}}}},
			change:  func(ctx context.Context, c *kvctl.Client) error { return c.Delete(ctx) },
			sent:    []string{"DELETE " + theCluster},
			want:    kvctl.ErrUnavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := map[string]answer{"GET " + theCluster: {status: 200, body: twoShards()}}
			maps.Copy(answers, test.answers)
			s := serve(t, answers)
			err := test.change(t.Context(), client(t, s.URL))
			if test.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, test.want)
			}
			assert.Equal(t, test.sent, s.changes())
		})
	}
}

func TestSlotsAreRecordedPieceByPiece(t *testing.T) {
	t.Parallel()
	before := record(4, shard(`"0-9","20-29"`, node("a", "h:1", "master")), shard(`"10-19"`, node("b", "h:2", "master")))
	after := record(6, shard("", node("a", "h:1", "master")), shard(`"0-29"`, node("b", "h:2", "master")))
	s := serve(t, map[string]answer{
		"GET " + theCluster:               {status: 200, body: before},
		"POST " + theCluster + "/migrate": {status: 200, body: after},
	})
	c := client(t, s.URL)
	require.NoError(t, c.RecordSlots(t.Context(), slots.Range{First: 0, Last: 29}, id("b")))
	assert.Equal(t, []string{
		"POST " + theCluster + `/migrate {"target":1,"slot":"0-9","slot_only":true}`,
		"POST " + theCluster + `/migrate {"target":1,"slot":"20-29","slot_only":true}`,
	}, s.changes())

	s.set("POST "+theCluster+"/migrate", answer{status: 200, body: before})
	err := c.RecordSlots(t.Context(), slots.Range{First: 0, Last: 0}, id("b"))
	require.ErrorIs(t, err, kvctl.ErrChanged, "they went elsewhere: the shards were reordered in the same moment")
}

func TestTheNamespaceIsMadeWhenItIsMissing(t *testing.T) {
	t.Parallel()
	const clusters = "/api/v1/namespaces/ns/clusters"
	s := serve(t, map[string]answer{
		"POST " + clusters:        {status: 400, body: refused("namespace not found")},
		"POST /api/v1/namespaces": {status: 409, body: refused("already exists")},
	})
	err := client(t, s.URL).Create(t.Context(), [][]string{{"h:1"}})
	require.ErrorIs(t, err, kvctl.ErrNotFound)
	create := "POST " + clusters + ` {"name":"c","nodes":["h:1"],"replicas":1,"password":"pw"}`
	assert.Equal(t, []string{create, `POST /api/v1/namespaces {"namespace":"ns"}`, create}, s.changes())
}

func TestAFailoverIsAskedForAgainWhileBrokenConnectionsAreFound(t *testing.T) {
	t.Parallel()
	const failover = "/shards/1/failover"
	refusal := answer{status: 500, body: refused("no match new master in shard")}
	s := serve(t, map[string]answer{"GET " + theCluster: {status: 200, body: twoShards()}, "POST " + theCluster + failover: refusal})
	c := client(t, s.URL)
	done := make(chan error, 1)
	go func() { done <- c.FailOver(t.Context(), id("d"), id("c")) }()
	asked := 0
	require.Eventually(t, func() bool { asked += len(s.changes()); return asked > 1 }, 10*time.Second, time.Millisecond)
	s.set("POST "+theCluster+failover, answer{status: 200, body: `{"data":{"new_master_id":"` + id("c") + `"}}`})
	require.NoError(t, <-done)

	s.set("POST "+theCluster+failover, refusal)
	require.ErrorIs(t, c.FailOver(t.Context(), id("d"), id("c")), kvctl.ErrRefused, "but not for ever")
}
