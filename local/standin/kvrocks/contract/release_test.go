package contract

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// ofRelease starts a stand-in of another release; the real program is of one, and those of others are not tried with it.
func ofRelease(t *testing.T, release string, opts options) *node {
	t.Helper()
	is, err := exec.Command(program, "-v").Output()
	require.NoError(t, err)
	if said := string(is); !strings.Contains(said, "stand-in") && !strings.Contains(said, release) {
		t.Skip("it is another release: ", said)
	}
	t.Setenv("KVROCKS_STANDIN_RELEASE", release)
	return startNode(t, opts)
}

// patientClient returns a connection of its own, which waits for each reply as long as that takes.
func (n *node) patientClient() func(words ...any) string {
	c := redis.NewClient(&redis.Options{Addr: n.Addr(), Protocol: 2, DisableIdentity: true, PoolSize: 1, MaxRetries: -1, ReadTimeout: -1})
	n.t.Cleanup(func() { _ = c.Close() })
	return func(words ...any) string { return text(c.Do(context.Background(), words...).Result()) }
}

// redis_version: apache/kvrocks #3286.
func TestRedisVersionOfEachRelease(t *testing.T) {
	for release, want := range map[string]string{"2.10.1": "4.0.0", "2.14.0": "4.0.0", "2.15.0": "7.0.0", "2.17.0": "7.0.0"} {
		t.Run(release, func(t *testing.T) {
			n := ofRelease(t, release, nil)
			assert.Equal(t, want, n.info("server", "redis_version"))
			assert.Equal(t, release, n.info("server", "kvrocks_version"))
		})
	}
}

// The default of migrate-type: #2990. Without moves by commands: #3544; a setting that is gone is ignored in the file, with a warning.
func TestSettingsOfMovesOfEachRelease(t *testing.T) {
	for release, want := range map[string]string{
		"2.12.1": "[migrate-type redis-command]", "2.13.0": "[migrate-type raw-key-value]", "2.16.0": "[migrate-type raw-key-value]", "2.17.0": "[]",
	} {
		t.Run(release, func(t *testing.T) {
			n := ofRelease(t, release, options{"migrate-speed": "7"})
			assert.Equal(t, want, n.do("CONFIG", "GET", "migrate-type"))
			if want == "[]" {
				assert.Contains(t, n.do("CONFIG", "SET", "migrate-speed", "1"), "Unsupported CONFIG parameter")
				log, err := os.ReadFile(n.Conf + ".log")
				require.NoError(t, err)
				assertContains(t, string(log), "is deprecated and does not take effect")
			}
		})
	}
}

// A replica that a new layout leaves out: #2643.
func TestAReplicaThatIsDroppedFromTheLayout(t *testing.T) {
	for release, want := range map[string]string{"2.10.1": "slave", "2.11.0": "master"} {
		t.Run(release, func(t *testing.T) {
			opts := options{"cluster-enabled": "yes"}
			first, second := ofRelease(t, release, opts), ofRelease(t, release, opts)
			first.must("CLUSTERX", "SETNODEID", id(0))
			second.must("CLUSTERX", "SETNODEID", id(1))
			setNodes(t, 1, []string{member(0, first, "master - 0-16383"), member(1, second, "slave "+id(0))}, first, second)
			first.must("SET", "k", "v")
			second.awaitSynced(first)
			before := second.sequence()
			setNodes(t, 2, []string{member(0, first, "master - 0-16383")}, first, second)
			assert.Equal(t, want, second.info("replication", "role"))
			if want == "master" {
				assert.Equal(t, before+1, second.sequence(), "a new replication history takes one number")
			}
		})
	}
}

// CLIENT PAUSE: #3378.
func TestNoPauseBefore216(t *testing.T) {
	assert.Contains(t, ofRelease(t, "2.15.0", nil).do("CLIENT", "PAUSE", "1", "WRITE"), "ERR")
}

func TestWritesArePaused(t *testing.T) {
	n := ofRelease(t, "2.16.0", nil)
	n.must("SET", "k", "before")
	tx, writer := n.patientClient(), n.patientClient()
	assert.Equal(t, "OK", tx("MULTI"))
	assert.Equal(t, "QUEUED", tx("SET", "t", "v"))

	n.must("CLIENT", "PAUSE", "60000", "WRITE")
	held := make(chan string, 1)
	go func() { held <- writer("SET", "k", "held") }()
	assert.Equal(t, "before", n.do("GET", "k"), "reads go on")
	assert.Equal(t, "master", n.info("replication", "role"))
	assert.Equal(t, "[OK]", tx("EXEC"), "what was queued before is not held")
	select {
	case reply := <-held:
		t.Fatal("not held: ", reply)
	case <-time.After(200 * time.Millisecond):
	}
	n.must("CLIENT", "UNPAUSE")
	assert.Equal(t, "OK", <-held)

	n.must("CLIENT", "PAUSE", "60000", "WRITE")
	go func() { held <- writer("SET", "k", "refused") }()
	time.Sleep(100 * time.Millisecond)
	n.must("SLAVEOF", "127.0.0.1", "1")
	n.must("CLIENT", "UNPAUSE")
	assert.Contains(t, <-held, "READONLY", "the usual checks come after the pause")
	n.must("SLAVEOF", "NO", "ONE")

	n.must("CLIENT", "PAUSE", "100", "WRITE")
	programtest.AwaitEqual(t, "OK", func() string { return n.do("SET", "k", "after") }, "the pause ends by itself")
}
