package scenarios

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	idle = time.Minute
	// settled is longer than the period of the sidecar's passes, 10 s.
	settled = 15 * time.Second
)

// An instance at rest, also a cluster, causes no writes in Kubernetes and few commands on its nodes. It runs alone, so that no other
// scenario's writes are in the way.
func TestIdleInstancesCauseNoWritesAndFewCommands(t *testing.T) {
	s := begin(t)
	s.apply(clusterCR("users", 3, 2, 1, "watch"))
	s.watched("orders")
	s.settled("users", "watch")
	versions, since := s.versions(), time.Now()
	s.eventually("everything is at rest", time.Minute, func() error {
		if now := s.versions(); !maps.Equal(versions, now) {
			versions, since = now, time.Now()
		}
		if time.Since(since) < settled {
			return errors.New("something was written a moment ago")
		}
		return nil
	})
	before, record := s.commands("orders", "users"), s.whole("users")
	time.Sleep(idle) // the subject of the test is what happens in this time
	after, now := s.commands("orders", "users"), s.whole("users")
	assert.Equal(t, versions, s.versions(), "resourceVersions after %s of idling", idle)
	assert.Equal(t, record, now, "the layout after %s of idling", idle)
	for pod, after := range after {
		total, detail := 0, []string{}
		for _, name := range slices.Sorted(maps.Keys(after)) {
			if n := after[name] - before[pod][name]; n > 0 {
				total += n
				detail = append(detail, fmt.Sprintf("%s %d", name, n))
			}
		}
		t.Logf("%s: %d commands in %s: %s", pod, total, idle, strings.Join(detail, ", "))
		// Each of the three sentinels sends a PING a second, a PUBLISH every 2 s and an INFO every 10 s: 288 a minute. Ours
		// are an INFO of the sidecar every 10 s and, every 10 s, two probes of an AUTH and a PING each.
		assert.LessOrEqual(t, total, 360, "commands per minute on %s", pod)
		// A push of the layout would be two of these; one is asked by this test.
		assert.LessOrEqual(t, after["clusterx"]-before[pod]["clusterx"], 2, "CLUSTERX per minute on %s", pod)
	}
}

// versions are the resourceVersions of everything of ours in the namespace.
func (s *scenario) versions() map[string]string {
	s.Helper()
	versions := map[string]string{}
	for _, resource := range []schema.GroupVersionResource{
		kvrocksResource, topologyResource,
		{Version: "v1", Resource: "services"},
		{Version: "v1", Resource: "configmaps"},
		{Version: "v1", Resource: "secrets"},
		{Version: "v1", Resource: "pods"},
		{Group: "apps", Version: "v1", Resource: "statefulsets"},
		{Group: "apps", Version: "v1", Resource: "deployments"},
		{Group: "policy", Version: "v1", Resource: "poddisruptionbudgets"},
	} {
		list, err := s.dyn.Resource(resource).Namespace(s.namespace).List(s.ctx, metav1.ListOptions{})
		require.NoError(s, err, resource.Resource)
		for _, item := range list.Items {
			versions[resource.Resource+"/"+item.GetName()] = item.GetResourceVersion()
		}
	}
	return versions
}

var commandCalls = regexp.MustCompile(`cmdstat_(\w+):calls=(\d+)`)

// commands are the numbers of calls of each command on the nodes of some instances, by pod and command.
func (s *scenario) commands(instances ...string) map[string]map[string]int {
	s.Helper()
	counts := map[string]map[string]int{}
	pods := map[string]corev1.Pod{}
	for _, instance := range instances {
		maps.Copy(pods, s.dataPods(instance))
	}
	for pod := range pods {
		info, err := s.direct(pod, password).Info(s.ctx, "commandstats").Result()
		require.NoError(s, err)
		calls := map[string]int{}
		for _, match := range commandCalls.FindAllStringSubmatch(info, -1) {
			var n int
			_, err := fmt.Sscan(match[2], &n)
			require.NoError(s, err)
			calls[match[1]] = n
		}
		require.NotEmpty(s, calls, "INFO commandstats of %s", pod)
		counts[pod] = calls
	}
	return counts
}
