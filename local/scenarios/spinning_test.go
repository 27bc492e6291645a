package scenarios

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// A sentinel whose connection was rejected at first, and then succeeded, uses up a processor (docs/operations.md). On this
// machine only: the rejection is a packet filter rule. It runs alone, because others would take the processor that is measured.
func TestASentinelThatSpinsIsFreed(t *testing.T) {
	s := begin(t)
	s.apply(sentinelCR("watch", 3) + "---" + standardCR("orders", 2, "watch"))
	s.ready("watch", readyWithin)
	s.ready("orders", readyWithin)
	s.agreed("watch", "orders")
	sentinel := anyOf(s.pods("watch"))
	replica := others(s, "orders", s.master("orders"))[0]

	spinning := 0.0
	for try := 0; try < 5 && spinning < 0.25; try++ {
		s.rejectedAtFirst(sentinel, replica)
		spinning = s.busy(sentinel)
	}
	t.Logf("%s uses %.2f of a processor", sentinel, spinning)
	require.Greater(t, spinning, 0.25, "the sentinel must spin, or the test shows nothing")

	s.event("orders", "SentinelSpinning")
	s.eventually("the sentinel is at rest", time.Minute, func() error {
		if spinning = s.busy(sentinel); spinning > 0.1 {
			return fmt.Errorf("it uses %.2f of a processor", spinning)
		}
		return nil
	})
	s.agreed("watch", "orders")
	assert.Equal(t, others(s, "orders", s.master("orders"))[0], replica, "no node was replaced")
}

// rejectedAtFirst makes a sentinel connect to a node again, and has the first packet of that rejected.
func (s *scenario) rejectedAtFirst(sentinel, node string) {
	s.Helper()
	from := s.pod(sentinel).Status.PodIP
	rule := []string{"-s", from, "-d", s.pod(node).Status.PodIP, "-p", "tcp", "--syn", "-j", "REJECT"}
	s.filter(append([]string{"-I", "FORWARD"}, rule...)...)
	defer s.filter(append([]string{"-D", "FORWARD"}, rule...)...)
	c := s.direct(node, password)
	list, err := c.ClientList(s.ctx).Result()
	require.NoError(s, err)
	for _, link := range regexp.MustCompile(`id=(\d+) .*name=sentinel-`).FindAllStringSubmatch(list, -1) {
		require.NoError(s, c.Do(s.ctx, "CLIENT", "KILL", "ID", link[1]).Err())
	}
	s.eventually("the sentinel is rejected", 10*time.Second, func() error {
		for line := range strings.Lines(s.filter("-L", "FORWARD", "-v", "-x", "-n")) {
			if strings.Contains(line, from) && !strings.HasPrefix(strings.TrimSpace(line), "0 ") {
				return nil
			}
		}
		return errors.New("not yet")
	})
}

func (s *scenario) filter(args ...string) string {
	s.Helper()
	out, err := exec.CommandContext(s.ctx, "iptables", append([]string{"--wait"}, args...)...).CombinedOutput()
	require.NoError(s, err, "%s", out)
	return string(out)
}

// intercept has the packets from the first to the second pod of each pair treated in some way, until the function that it returns
// is called. Pods are told apart by their addresses.
func (s *scenario) intercept(how []string, pairs ...[2]string) (release func()) {
	s.Helper()
	var rules [][]string
	for _, pair := range pairs {
		rules = append(rules, append([]string{"FORWARD", "-s", s.pod(pair[0]).Status.PodIP, "-d", s.pod(pair[1]).Status.PodIP}, how...))
	}
	for _, rule := range rules {
		s.filter(append([]string{"-I"}, rule...)...)
	}
	release = func() {
		for _, rule := range rules {
			s.filter(append([]string{"-D"}, rule...)...)
		}
		rules = nil
	}
	s.Cleanup(release)
	return release
}

// busy is the part of a processor that a sentinel uses, over two seconds.
func (s *scenario) busy(sentinel string) float64 {
	s.Helper()
	c := kvrocks.NewSentinel(fmt.Sprintf("%s:%d", s.pod(sentinel).Status.PodIP, v1alpha1.SentinelPort), kvrocks.Options{Timeout: patient})
	defer func() { _ = c.Close() }()
	used := func() time.Duration {
		stats, err := c.Stats(s.ctx)
		require.NoError(s, err)
		return stats.CPU
	}
	before, began := used(), time.Now()
	time.Sleep(2 * time.Second) // what it does in this time is the subject
	return float64(used()-before) / float64(time.Since(began))
}
