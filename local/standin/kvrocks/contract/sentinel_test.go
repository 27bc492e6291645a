package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

const (
	downAfter = 2 * time.Second
	// failoverSlack is what detection by the others, election and promotion may take after down-after.
	failoverSlack = 15 * time.Second
)

// startSentinels runs three real sentinels over a master with quorum 2 and waits until they know everything.
func startSentinels(t *testing.T, master *node, replicas int) []*node {
	t.Helper()
	var sentinels []*node
	for range 3 {
		sentinels = append(sentinels, startSentinel(t, master))
	}
	for _, s := range sentinels {
		programtest.AwaitEqual(t, true, func() bool {
			state := s.do("SENTINEL", "MASTER", "m")
			return strings.Contains(state, "num-other-sentinels 2 ") &&
				strings.Contains(state, fmt.Sprintf("num-slaves %d ", replicas))
		}, "sentinel knows all")
	}
	return sentinels
}

func startSentinel(t *testing.T, master *node) *node {
	t.Helper()
	s := &node{Server: programtest.NewServer(t, "", "redis-sentinel"), t: t}
	s.Configure(fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor m 127.0.0.1 %d 2\n"+
		"sentinel down-after-milliseconds m %d\nsentinel failover-timeout m 10000\n",
		s.Port, filepath.Dir(s.Conf), master.Port, downAfter.Milliseconds()))
	s.Start()
	return s
}

// monitored starts a master with two replicas under sentinels.
func monitored(t *testing.T) (master *node, replicas, sentinels []*node) {
	t.Helper()
	master, first := pair(t, nil)
	second := startNode(t, nil)
	second.replicate(master)
	second.awaitSynced(master)
	return master, []*node{first, second}, startSentinels(t, master, 2)
}

// awaitPromotion waits until all sentinels agree on one of the replicas and returns it and the rest.
func awaitPromotion(t *testing.T, sentinels, replicas []*node, within time.Duration) (promoted, other *node) {
	t.Helper()
	for _, s := range sentinels {
		programtest.AwaitEqualWithin(t, true, within, func() bool {
			addr := s.do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m")
			for i, r := range replicas {
				if strings.Contains(addr, strconv.Itoa(r.Port)) {
					promoted, other = r, replicas[1-i]
					return true
				}
			}
			return false
		}, "new master")
	}
	return promoted, other
}

func TestSentinelReplacesAKilledMaster(t *testing.T) {
	t.Parallel()
	master, replicas, sentinels := monitored(t)
	master.Kill()
	killed := time.Now()
	promoted, other := awaitPromotion(t, sentinels, replicas, downAfter+failoverSlack)
	t.Logf("all sentinels agree on the new master %s after the kill", time.Since(killed).Round(10*time.Millisecond))
	assert.Equal(t, "master", promoted.info("replication", "role"))
	assert.Equal(t, "v", promoted.do("GET", "k"))
	promoted.must("SET", "after", "v")
	other.awaitInfo("master_port", strconv.Itoa(promoted.Port))
	other.awaitSynced(promoted)

	master.Start() // writable again, until sentinel sees it
	master.awaitInfo("role", "slave")
	master.awaitInfo("master_port", strconv.Itoa(promoted.Port))
	master.awaitSynced(promoted)
	assert.Equal(t, "v", master.do("GET", "after"))
	conf, err := os.ReadFile(promoted.Conf)
	require.NoError(t, err)
	assert.Contains(t, string(conf), "slaveof \"no one\"", "sentinel rewrites the configuration")
}

func TestSentinelReplacesAHungMaster(t *testing.T) {
	t.Parallel()
	master, replicas, sentinels := monitored(t)
	master.Pause()
	promoted, other := awaitPromotion(t, sentinels, replicas, downAfter+failoverSlack)
	promoted.must("SET", "after", "v")
	other.awaitSynced(promoted)
	master.Signal(syscall.SIGCONT)
	master.awaitInfo("role", "slave")
	master.awaitSynced(promoted)
}

func TestSentinelFailsOverOnDemand(t *testing.T) {
	t.Parallel()
	master, replicas, sentinels := monitored(t)
	for i := range 50 {
		master.must("SET", "k"+strconv.Itoa(i), "v")
	}
	sentinels[0].must("SENTINEL", "FAILOVER", "m")
	promoted, _ := awaitPromotion(t, sentinels, replicas, failoverSlack)
	master.awaitInfo("role", "slave")
	master.awaitSynced(promoted)
	assert.Equal(t, "v", promoted.do("GET", "k49"))
}
