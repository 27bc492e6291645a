package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/kvrocksconf"
)

func TestCommandsAreRenamed(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	w.change(func(cr *v1alpha1.KVRocks) {
		cr.Spec.KVRocksConfig = v1alpha1.KVRocksConfig{"rename-command": `KEYS "", FLUSHALL '' ,flushdb WipeDB`}
	})
	w.settle()
	assert.Contains(t, w.seen.ConfigMaps["shop/demo-config"].Data[configFile], `rename-command "keys \"\""
rename-command "flushall \"\""
rename-command "flushdb wipedb"
`)
	assert.NotContains(t, w.topology().Spec.Config, "rename-command")
}

func TestBothNamesOfTolerationsHold(t *testing.T) {
	cr := example(t, "standard-minimal.yaml")
	cr.Spec.Tolerations = []corev1.Toleration{{Key: "a"}}
	cr.Spec.Toleration = []corev1.Toleration{{Key: "b"}}
	w := settled(t, cr)
	assert.Equal(t, []corev1.Toleration{{Key: "a"}, {Key: "b"}}, w.set().Spec.Template.Spec.Tolerations)
}

// Tokens of namespaces stand in kvrocks' database: the file is made afresh at each start, and replicas have another.
func TestNamespacesAreKeptInTheDatabase(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	assert.Contains(t, w.seen.ConfigMaps["shop/demo-config"].Data[configFile], "\nrepl-namespace-enabled yes\n")
	assert.Equal(t, "yes", w.topology().Spec.Config["repl-namespace-enabled"], "running nodes take it without a restart")

	w = settled(t, example(t, "cluster-minimal.yaml"))
	assert.NotContains(t, w.seen.ConfigMaps["shop/"+configName(w.cr.Name)].Data[configFile], "namespace")
	assert.Empty(t, w.topology().Spec.Config)
}

// A node that restarts in an attached pod could be elected before the sidecar gives it its priority.
func TestNodesBootWithoutBeingElectableWhereTheLossIsBounded(t *testing.T) {
	cr := example(t, "standard-full.yaml")
	bounded := cr.DeepCopy()
	bounded.Spec.Failover = &v1alpha1.Failover{MaxLostWrites: new(int64)}
	conf := func(w *world) string {
		return w.seen.ConfigMaps[w.cr.Namespace+"/"+configName(cr.Name)].Data[configFile]
	}
	w, b := settled(t, cr), settled(t, bounded)
	assert.NotContains(t, conf(w), "slave-priority")
	assert.Contains(t, conf(b), "\nslave-priority 0\n")
	assert.NotContains(t, b.topology().Spec.Config, "slave-priority")
	assert.Equal(t, w.set().Spec.Template, b.set().Spec.Template, "it restarts nothing")
}

func TestDerivedSizesRestartNothing(t *testing.T) {
	cr := example(t, "standard-full.yaml")
	w := settled(t, cr)
	conf := w.seen.ConfigMaps[w.cr.Namespace+"/"+configName(cr.Name)].Data[configFile]
	assert.Contains(t, conf, "\nrocksdb.block_cache_size 170\n")
	assert.Contains(t, conf, "\nrocksdb.wal_size_limit_mb 102\n")
	assert.NotContains(t, w.topology().Spec.Config, "rocksdb.wal_size_limit_mb", "a running node refuses it")

	with, without := cr.Spec.WithDefaults(), cr.Spec.WithDefaults()
	without.Resources, without.Storage = nil, nil
	assert.Equal(t, kvrocksconf.RestartText(without), kvrocksconf.RestartText(with))
}
