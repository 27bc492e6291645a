package contract

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// startPair starts two controllers with one etcd and returns the leader first.
func startPair(t *testing.T) (leader, follower *controller) {
	t.Helper()
	store := startEtcd(t)
	leader, follower = newController(t, store, 1), newController(t, store, 1)
	leader.start()
	follower.launch()
	programtest.AwaitEqual(t, http.StatusTemporaryRedirect, func() int { return follower.status("GET", namespaces, "") }, "the follower answers")
	return leader, follower
}

func TestFollowersRedirectAndDoWhatIsAsked(t *testing.T) {
	t.Parallel()
	leader, follower := startPair(t)

	answer, text := follower.call("GET", namespaces+"?x=y", "")
	assert.Equal(t, http.StatusTemporaryRedirect, answer.StatusCode)
	assert.Equal(t, leader.url()+namespaces+"?x=y", answer.Header.Get("Location"))
	assert.Contains(t, text, `{"data":{"namespaces":[]}}`)

	answer, text = follower.call("POST", namespaces, `{"namespace":"ns"}`)
	assert.Equal(t, http.StatusCreated, answer.StatusCode)
	assert.JSONEq(t, `{"data":{"namespace":"ns"}}`, text)
	assert.Regexp(t, `^http://[^/]{8}/`+programtest.Local(leader.port)+namespaces+`$`, answer.Header.Get("Location"), "of no use")
	leader.must(http.StatusOK, "GET", namespaces+"/ns", "")

	// The leader does not hear of a cluster that is created past it.
	n := startNode(t, nil)
	follower.must(http.StatusCreated, "POST", clusters, `{"name":"c","nodes":["`+n.Addr()+`"]}`)
	settle(2500 * time.Millisecond)
	assert.Equal(t, "-1", n.version())
	leader.must(http.StatusNoContent, "DELETE", theCluster, "")
	leader.must(http.StatusCreated, "POST", clusters, `{"name":"c","nodes":["`+n.Addr()+`"]}`)
	n.awaitVersion(1)
	// A change is pushed at the leader's next probe.
	follower.must(http.StatusCreated, "POST", theCluster+"/shards", `{"nodes":["127.0.0.1:1"]}`)
	n.awaitVersion(2)
}

func TestAFollowerTakesOver(t *testing.T) {
	t.Parallel()
	leader, follower := startPair(t)
	n := startNode(t, nil)
	leader.create(1, "", n.Addr())
	n.awaitVersion(1)

	// The leader does not resign: its session, of 6 s, has to end.
	leader.process.Signal(syscall.SIGTERM)
	assert.Equal(t, 0, leader.process.AwaitExit())
	assert.Equal(t, http.StatusTemporaryRedirect, follower.status("GET", namespaces, ""))
	begin := time.Now()
	follower.awaitLeading()
	assert.Less(t, time.Since(begin), 12*time.Second)
	n.restart(theTopology)
	n.awaitVersion(1)

	leader.launch()
	programtest.AwaitEqual(t, http.StatusTemporaryRedirect, func() int { return leader.status("GET", namespaces, "") }, "the old leader follows")
}

func TestAControllerWaitsForEtcd(t *testing.T) {
	t.Parallel()
	store := newEtcd(t)
	c := newController(t, store, slow)
	c.launch()
	settle(2 * time.Second)
	assert.Zero(t, c.status("GET", namespaces, ""), "nothing listens yet")
	store.start()
	c.awaitLeading()
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	c := newController(t, startEtcd(t), slow)
	text, err := os.ReadFile(c.config)
	require.NoError(t, err)
	write := func(old, replacement string) {
		require.Contains(t, string(text), old)
		require.NoError(t, os.WriteFile(c.config, []byte(strings.Replace(string(text), old, replacement, 1)), 0o644))
	}
	// A mistake is logged, and the exit code is that of success.
	for old, replacement := range map[string]string{
		"ping_interval_seconds: 3600": "ping_interval_seconds: 0",
		"max_ping_count: 3":           "max_ping_count: 2",
		"addr:":                       "addr",
	} {
		write(old, replacement)
		c.launch()
		assert.Equal(t, 0, c.process.AwaitExit(), replacement)
	}

	// The environment counts only if the file says nothing.
	other := newController(t, newEtcd(t), slow)
	environ := append(os.Environ(), "KVROCKS_CONTROLLER_HTTP_HOST=127.0.0.1", "KVROCKS_CONTROLLER_HTTP_PORT="+strconv.Itoa(other.port))
	write("addr:", "addr:") // As it was.
	c.process = programtest.LaunchIn(t, c.config+".log", environ, programs.controller, "-c", c.config)
	c.awaitLeading()
	c.process.Kill()
	write("addr:", "other:")
	programtest.LaunchIn(t, c.config+".log", environ, programs.controller, "-c", c.config)
	other.awaitLeading()
}
