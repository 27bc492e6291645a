package scenarios

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// TestMasterThatDiesDuringTheFullSyncOfItsOnlyReplica: the replica has deleted its data for a full sync that cannot end. It
// must not become master nor take traffic, not even when its process has restarted and is empty: without sentinels, with
// sentinels, and in a cluster, where kvrocks-controller elects by itself.
func TestMasterThatDiesDuringTheFullSyncOfItsOnlyReplica(t *testing.T) {
	t.Parallel()
	s := begin(t)
	const emptied = "  kvrocksConfig: {slave-empty-db-before-fullsync: \"yes\"}\n"
	s.apply(sentinelCR("watch", 3) + "---" + standardCR("alone", 2, "") + emptied + "---" + standardCR("orders", 2, "watch") + emptied +
		"---" + clusterCR("parts", 3, 2, 1, "") + emptied)
	pairs := []*pair{{scenario: s, instance: "alone"}, {scenario: s, instance: "orders"}, {scenario: s, instance: "parts", clustered: true}}
	for _, p := range pairs {
		s.ready(p.instance, clusterReadyWithin)
		p.find()
		p.loseMasterInFullSync()
	}
	time.Sleep(30 * time.Second) // what happens meanwhile is the subject
	for _, p := range pairs {
		p.release()
	}
	for _, p := range pairs {
		p.recovered()
	}
}

// pair is the master of an instance, or of the first shard of a cluster, and its only replica.
type pair struct {
	*scenario
	instance, master, replica string
	clustered                 bool
	// release lets the master come back.
	release func()
}

// find fills in which pods the two are.
func (p *pair) find() {
	p.Helper()
	p.master = p.present()
	shard := p.pod(p.master).Labels[v1alpha1.LabelShard]
	for name, pod := range p.dataPods(p.instance) {
		if name != p.master && pod.Labels[v1alpha1.LabelShard] == shard {
			p.replica = name
		}
	}
	require.NotEmpty(p, p.replica)
}

// present is the pod that is reported as master.
func (p *pair) present() string {
	p.Helper()
	if p.clustered {
		return p.shardMaster(p.instance, 0)
	}
	return p.scenario.master(p.instance)
}

// key is the n-th key of those that the pair may hold.
func (p *pair) key(n int) string {
	for i := 0; ; i++ {
		if key := fmt.Sprintf("k:%d:%d", n, i); !p.clustered || thirds[0].has(slotOf(key)) {
			return key
		}
	}
}

// So many keys of so many bytes are more than a connection has room for: at a megabyte a second their full sync takes a while.
const fullSyncKeys, fullSyncValue = 200, 64 << 10

// loseMasterInFullSync kills the master, and keeps it away, while its replica is in a full sync.
func (p *pair) loseMasterInFullSync() {
	p.Helper()
	c, r := p.direct(p.master, password), p.direct(p.replica, password)
	value := make([]byte, fullSyncValue)
	_, _ = rand.Read(value) // nothing that can be compressed
	for n := range fullSyncKeys {
		require.NoError(p, c.Set(p.ctx, p.key(n), append([]byte(fmt.Sprintf("%d:", n)), value...), 0).Err())
	}
	// kvrocks heeds both, its stand-in the second. Neither outlives the process.
	require.NoError(p, c.ConfigSet(p.ctx, "max-replication-mb", "1").Err())
	require.NoError(p, r.ConfigSet(p.ctx, "fullsync-recv-file-delay", "5").Err())
	process := p.process(p.master)
	// A history of its own makes it need a full sync.
	own := p.key(fullSyncKeys)
	p.eventually("the replica has a history of its own", time.Minute, func() error {
		if err := p.depart(r); err != nil {
			return err
		}
		return r.Set(p.ctx, own, 1, 0).Err()
	})
	p.eventually("the replica is in a full sync", time.Minute, func() error {
		switch err := r.Ping(p.ctx).Err(); {
		case err == nil:
			return errors.New("it answers")
		case !strings.HasPrefix(err.Error(), "LOADING"):
			return fmt.Errorf("it answers: %w", err)
		}
		return nil
	})
	require.NoError(p, syscall.Kill(process, syscall.SIGKILL))
	comeBack := p.keepAway(p.master)
	end := p.neverServes()
	p.release = func() { end(); comeBack() }
}

// recovered asserts that the master is what it was, with the data that it had, and that the replica has it too.
func (p *pair) recovered() {
	p.Helper()
	p.ready(p.instance, clusterReadyWithin)
	assert.Equal(p, p.master, p.present())
	p.Logf("%s has restarted %d times", p.replica, p.pod(p.replica).Status.ContainerStatuses[0].RestartCount)
	for _, pod := range []string{p.master, p.replica} {
		c := p.direct(pod, password)
		if p.clustered {
			require.NoError(p, c.ReadOnly(p.ctx).Err())
		}
		for _, n := range []int{0, fullSyncKeys / 2, fullSyncKeys - 1} {
			got, err := c.Get(p.ctx, p.key(n)).Result()
			require.NoError(p, err, "%s of %s", p.key(n), pod)
			assert.True(p, strings.HasPrefix(got, fmt.Sprintf("%d:", n)))
		}
		assert.ErrorIs(p, c.Get(p.ctx, p.key(fullSyncKeys)).Err(), redis.Nil, pod)
	}
}

// depart makes the replica a master.
func (p *pair) depart(r *redis.Client) error {
	if !p.clustered {
		return r.Do(p.ctx, "SLAVEOF", "NO", "ONE").Err()
	}
	text, err := r.ClusterNodes(p.ctx).Result()
	if err != nil {
		return err
	}
	version, err := r.Do(p.ctx, "CLUSTERX", "VERSION").Int64()
	if err != nil {
		return err
	}
	return r.Do(p.ctx, "CLUSTERX", "SETNODES", p.exchanged(text), version, "force").Err()
}

// exchanged is the layout that CLUSTER NODES tells of, in the form of CLUSTERX SETNODES, with the two in each other's place.
func (p *pair) exchanged(text string) string {
	p.Helper()
	nodes, err := parseNodes(text)
	require.NoError(p, err)
	var master, replica clusterNode
	var layout []string
	line := func(id, address, role, of string, slots []string) string {
		return strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", id, strings.Replace(address, ":", " ", 1), role, of, strings.Join(slots, " ")))
	}
	for _, n := range nodes {
		switch n.address {
		case p.addressOf(p.instance, p.master):
			master = n
		case p.addressOf(p.instance, p.replica):
			replica = n
		default:
			layout = append(layout, line(n.id, n.address, n.role, n.master, n.slots))
		}
	}
	slots := append(master.slots, replica.slots...) // of whichever has them
	return strings.Join(append(layout, line(replica.id, replica.address, "master", "-", slots), line(master.id, master.address, "slave", replica.id, nil)), "\n")
}

// neverServes asserts, until the function that it returns is called, that the replica is no master, neither by the report nor in fact,
// and that it leaves the Services.
func (p *pair) neverServes() (end func()) {
	p.Helper()
	began := time.Now()
	ctx, cancel := context.WithCancel(p.ctx)
	done := make(chan struct{})
	serves := func() error {
		cr, err := p.kvrocks(p.instance)
		if err != nil {
			return err
		}
		if master := cr.Status.Shards[0].Master; master != p.master {
			return fmt.Errorf("the master is %q, not %s, which alone has the data", master, p.master)
		}
		pod, err := p.kube.CoreV1().Pods(p.namespace).Get(p.ctx, p.replica, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if isAttached(pod) && time.Since(began) > 15*time.Second {
			return fmt.Errorf("%s is in the Services", p.replica)
		}
		if p.takeWrites(p.ctx, map[string]bool{p.replica: true}) > 0 {
			return fmt.Errorf("%s is a master", p.replica)
		}
		return nil
	}
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; time.Sleep(500 * time.Millisecond) {
			if err := serves(); err != nil {
				p.Errorf("%s: %v", p.instance, err)
				return
			}
		}
	}()
	end = func() { cancel(); <-done }
	p.Cleanup(end)
	return end
}
