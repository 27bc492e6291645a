package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Sentinels elect what they can reach, here twice a replica that lacks writes, because a packet filter keeps them from the better
// one. One that is known not to be in sync is overruled and nothing that the better one has is lost; one that was in sync when
// it was last seen serves, and the loss is told with its size.
func TestAnElectedReplicaThatLacksWritesIsOverruledOrItsLossIsTold(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")

	t.Run("it is not in sync", func(t *testing.T) {
		e := s.part(t).election()
		e.cut([]string{"-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"}, [2]string{e.behind, e.master})
		e.eventually(e.behind+" is on record as not in sync", 30*time.Second, func() error {
			if n := e.reported(e.behind); n.Role != "" {
				return fmt.Errorf("%+v", n)
			}
			return nil
		})
		e.hidden()
		safe := e.replicated(w, password, e.better)
		e.signal(e.master, syscall.SIGSTOP)
		e.event("orders", e.behind+" was elected by the sentinels and lacks data that others have")
		e.another("orders", e.master)
		e.resumed(w, time.Now(), 30*time.Second)
		e.end()
		assert.Equal(t, e.better, e.scenario.master("orders"))
		e.keeps(e.better, safe, w.count())
		missing, told := e.loss(w, 0)
		assert.LessOrEqual(t, int64(len(missing)), told)
	})

	t.Run("it was in sync when it was last seen", func(t *testing.T) {
		e, before := s.part(t).election(), w.count()
		e.hidden()
		e.cut([]string{"-j", "DROP"}, [2]string{e.behind, e.master}, [2]string{e.master, e.behind})
		behind := w.count()
		e.eventually("it lacks some writes", 10*time.Second, func() error {
			if n := w.count() - behind; n < 500 {
				return fmt.Errorf("%d", n)
			}
			return nil
		})
		e.signal(e.master, syscall.SIGSTOP)
		e.another("orders", e.master)
		e.resumed(w, time.Now(), 30*time.Second)
		assert.Equal(t, e.behind, e.scenario.master("orders"))
		record := e.journal("orders")
		require.NotNil(t, record.LostSequence, "what the better one had is known at once")
		assert.Positive(t, *record.LostSequence)
		e.event("orders", fmt.Sprintf("%d writes of %s never reached %s", *record.LostSequence, e.master, e.behind))
		e.end()
		missing, told := e.loss(w, before)
		assert.NotEmpty(t, missing, "or the test shows nothing")
		// An entry or two that the successor has made by itself, such as that of its new replication id, are not told apart.
		assert.LessOrEqual(t, int64(len(missing))*9/10, told)
	})
}

// election is an instance of three whose sentinels are to elect the replica that is behind.
type election struct {
	*scenario
	master, better, behind string
	heal                   []func()
}

func (s *scenario) election() *election {
	s.Helper()
	s.ready("orders", readyWithin)
	s.agreed("watch", "orders")
	e := &election{scenario: s, master: s.master("orders")}
	replicas := slices.Sorted(slices.Values(others(s, "orders", e.master)))
	e.better, e.behind = replicas[0], replicas[1]
	return e
}

// cut has the packets between pairs of pods treated in some way until the end.
func (e *election) cut(how []string, pairs ...[2]string) {
	e.Helper()
	e.heal = append(e.heal, e.intercept(how, pairs...))
}

// hidden keeps the sentinels from the better replica until they all take it for down.
func (e *election) hidden() {
	e.Helper()
	var pairs [][2]string
	for sentinel := range e.pods("watch") {
		pairs = append(pairs, [2]string{sentinel, e.better})
	}
	e.cut([]string{"-j", "DROP"}, pairs...)
	address := e.addresses("orders")[e.better]
	e.eventually("the sentinels take "+e.better+" for down", 20*time.Second, func() error {
		return e.eachSentinel("watch", func(_ string, c *redis.SentinelClient) error {
			replicas, err := c.Replicas(e.ctx, "orders").Result()
			for _, r := range replicas {
				if r["ip"] == address && !strings.Contains(r["flags"], "s_down") {
					return fmt.Errorf("it says %s", r["flags"])
				}
			}
			return err
		})
	})
}

// end lets the packets through and the master go on.
func (e *election) end() {
	e.Helper()
	for _, remove := range e.heal {
		remove()
	}
	e.signal(e.master, syscall.SIGCONT)
	e.ready("orders", readyWithin)
	e.agreed("watch", "orders")
}

// reported is what was last reported of a node.
func (e *election) reported(pod string) v1alpha1.TopologyNode {
	e.Helper()
	topology, err := e.topology("orders")
	require.NoError(e, err)
	for _, n := range topology.Status.Shards[0].Nodes {
		if n.Pod == pod {
			return n
		}
	}
	require.Fail(e, "nothing is reported of "+pod)
	return v1alpha1.TopologyNode{}
}

// loss returns which writes are missing of those since a number, and how many of those of the last master the journal calls lost.
func (e *election) loss(w *writer, since int) (missing []int, told int64) {
	e.Helper()
	missing = slices.DeleteFunc(e.missing(e.direct(e.scenario.master("orders"), password), w.count()), func(n int) bool { return n < since })
	record := e.journal("orders")
	require.Equal(e, e.master, record.From)
	require.NotNil(e, record.LostSequence, "the former master is back")
	e.Logf("%d writes are missing, the journal says %d: %+v", len(missing), *record.LostSequence, record)
	return missing, *record.LostSequence
}
