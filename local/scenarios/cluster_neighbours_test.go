package scenarios

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Two clusters and a standard instance share their sentinels and nothing else; moves that cannot be are refused.
func TestClustersShareNothingAndRefuseBadMoves(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(sentinelCR("watch", 3) + "---" + clusterCR("orders", 3, 1, 1, "watch") + "---" + clusterCR("users", 3, 1, 1, "watch") +
		"---" + standardCR("carts", 2, "watch"))
	for _, name := range []string{"watch", "carts", "orders", "users"} {
		s.ready(name, clusterReadyWithin)
	}
	for _, name := range []string{"carts", "orders", "users"} {
		s.agreed("watch", name)
	}
	s.whole("orders")
	s.whole("users")

	t.Run("bad moves are refused or reported", func(t *testing.T) { badMoves(s.part(t), t) })
	t.Run("one cluster is deleted and the rest goes on", func(t *testing.T) { oneDeleted(s.part(t), t) })
}

func badMoves(s *scenario, t *testing.T) {
	before := s.whole("users")
	crs := s.dyn.Resource(kvrocksResource).Namespace(s.namespace)
	for migrate, message := range map[string]string{
		`[{"shard":3,"slots":["1"]}]`:                           "names a shard that does not exist",
		`[{"shard":1,"slots":["16384"]}]`:                       "between 0 and 16383",
		`[{"shard":1,"slots":["9-3"]}]`:                         "from the lower to the higher",
		`[{"shard":1,"slots":["1"]},{"shard":1,"slots":["2"]}]`: "lists the same shard twice",
	} {
		_, err := crs.Patch(s.ctx, "users", types.MergePatchType, []byte(`{"spec":{"migrate":`+migrate+`}}`), metav1.PatchOptions{})
		require.ErrorContains(t, err, message, migrate)
	}

	s.patch("users", `{"spec":{"migrate":[{"shard":1,"slots":["1-5"]},{"shard":2,"slots":["5"]}]}}`)
	s.eventually("a slot for two shards is reported", time.Minute, func() error { return s.says("users", "5", "two shards") })
	s.patch("users", `{"spec":{"migrate":[{"shard":0,"slots":["1-5"]}]}}`)
	s.migrated("users", 1) // they are there already
	s.patch("users", `{"spec":{"migrate":null}}`)
	s.ready("users", readyWithin)
	after := s.whole("users")
	assert.Equal(t, before.owner, after.owner)
	assert.Equal(t, before.version, after.version, "nothing may have been pushed")
}

func oneDeleted(s *scenario, t *testing.T) {
	w := s.writeCluster("users", thirds...)
	carts, p := s.write("carts-master", password), s.pulse()
	users, others, record := uids(s.pods("users")), uids(s.pods("carts")), s.whole("users")
	began := time.Now()
	s.remove("orders")
	s.forgottenFirst("watch", "orders", 3, "orders.0", "orders.1", "orders.2")
	s.removed("orders")
	s.eventually("nothing of orders is left", readyWithin, func() error { return s.nothingOf("orders") })
	time.Sleep(settled) // what would be done to the neighbours would be done at the next pass
	s.settled("users", "watch")
	s.ready("carts", readyWithin)
	s.agreed("watch", "carts")
	gaps := append(w.gaps(began), carts.longestGap(began))
	t.Logf("gaps %v", gaps)
	p.within(t, noise, "the neighbours must not notice", gaps...)
	assert.Equal(t, users, uids(s.pods("users")))
	assert.Equal(t, others, uids(s.pods("carts")))
	assert.Equal(t, record.version, s.whole("users").version)
	s.nothingLost(t, "users", w)
	assert.Empty(t, s.missing(s.direct(s.master("carts"), password), carts.finish()))
}

// nothingOf checks that no object of an instance is left, its volumes included.
func (s *scenario) nothingOf(instance string) error {
	var left []string
	for name := range s.versions() {
		if kind, object, _ := strings.Cut(name, "/"); object == instance || strings.HasPrefix(object, instance+"-") {
			left = append(left, kind+"/"+object)
		}
	}
	claims, err := s.kube.CoreV1().PersistentVolumeClaims(s.namespace).List(s.ctx, metav1.ListOptions{LabelSelector: v1alpha1.LabelKVRocks + "=" + instance})
	if err != nil {
		return err
	}
	for _, claim := range claims.Items {
		left = append(left, claim.Name)
	}
	if len(left) > 0 {
		return errors.New(strings.Join(left, ", "))
	}
	return nil
}
