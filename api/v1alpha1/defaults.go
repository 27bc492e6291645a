package v1alpha1

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Default images: the releases that the operator was tested with.
const (
	DefaultKVRocksImage    = "docker.io/apache/kvrocks:2.10.1"
	DefaultSentinelImage   = "docker.io/library/redis:7.0.15"
	DefaultEtcdImage       = "quay.io/coreos/etcd:v3.6.16"
	DefaultControllerImage = "docker.io/apache/kvrocks-controller:1.2.0"
)

// Default failover settings; see Failover.
const (
	DefaultDownAfterMilliseconds       = 5000
	DefaultFailoverTimeoutMilliseconds = 20000
	DefaultParallelSyncs               = 1
	DefaultMaxLagWrites                = 1_000_000
	DefaultMaxLagSeconds               = 60
)

// DefaultDrainSeconds is how long a pod that goes keeps answering; see KVRocksSpec.
const DefaultDrainSeconds = 5

// DefaultWarnPercent is how full a volume may be; see Storage.
const DefaultWarnPercent = 85

// DefaultEtcdStorage is the size of the volumes of etcd's members; see EtcdStorage. It holds the store, five pieces of the log of
// 64 MB each, and snapshots.
const DefaultEtcdStorage = "1Gi"

// DefaultDeadlineSeconds is how long one range of slots may take; see MigrationSpec.
const DefaultDeadlineSeconds = 3600

// WithDefaults returns a copy of the spec in which every optional field that has a default is set. The API server fills
// in most of them; a spec that did not pass through it (a fixture, a test) gets the same values here.
func (s *KVRocksSpec) WithDefaults() *KVRocksSpec {
	d := s.DeepCopy()
	setDefault(&d.Image, defaultImage(d.Type))
	setDefault(&d.ImagePullPolicy, "IfNotPresent")
	setDefault(&d.Replicas, 3)
	if d.DrainSeconds == nil {
		drain := int32(DefaultDrainSeconds)
		d.DrainSeconds = &drain
	}
	d.Failover = d.Failover.WithDefaults()
	if d.PasswordSecretRef != nil {
		setDefault(&d.PasswordSecretRef.Key, PasswordKey)
	}
	if d.Storage != nil {
		setDefault(&d.Storage.Reclaim, ReclaimRetain)
		setDefault(&d.Storage.WarnPercent, DefaultWarnPercent)
	}
	if d.Type == TypeCluster {
		if d.Cluster == nil {
			d.Cluster = &ClusterSpec{}
		}
		setDefault(&d.Cluster.Etcd.Replicas, 3)
		setDefault(&d.Cluster.Etcd.Image, DefaultEtcdImage)
		if d.Storage != nil && d.Cluster.Etcd.Storage == nil {
			d.Cluster.Etcd.Storage = &EtcdStorage{Size: resource.MustParse(DefaultEtcdStorage)}
		}
		setDefault(&d.Cluster.Controller.Replicas, 1)
		setDefault(&d.Cluster.Controller.Image, DefaultControllerImage)
		if d.Cluster.Migration.DeadlineSeconds == nil {
			deadline := int32(DefaultDeadlineSeconds)
			d.Cluster.Migration.DeadlineSeconds = &deadline
		}
	}
	return d
}

// WithDefaults returns a copy of the settings, which may be nil, in which those that have a default are set.
func (f *Failover) WithDefaults() *Failover {
	d := &Failover{}
	if f != nil {
		d = f.DeepCopy()
	}
	setDefault(&d.DownAfterMilliseconds, DefaultDownAfterMilliseconds)
	setDefault(&d.FailoverTimeoutMilliseconds, DefaultFailoverTimeoutMilliseconds)
	setDefault(&d.ParallelSyncs, DefaultParallelSyncs)
	setDefault(&d.MaxLagWrites, DefaultMaxLagWrites)
	setDefault(&d.MaxLagSeconds, DefaultMaxLagSeconds)
	return d
}

// Port returns the port that the instance listens on. A port that admission would refuse counts as unset.
func (s *KVRocksSpec) Port() int32 {
	if s.Type == TypeSentinel {
		return SentinelPort
	}
	text := s.KVRocksConfig["port"]
	if text == "" {
		return DefaultPort // most have none, and this is asked often
	}
	if p, err := strconv.ParseInt(string(text), 10, 32); err == nil && p >= 1024 && p <= 65535 {
		return int32(p)
	}
	return DefaultPort
}

// MonitoredBy returns the name of the sentinel instance that watches this one; "" when none does.
func (k *KVRocks) MonitoredBy() string { return strings.TrimSpace(k.Labels[LabelMonitoredBy]) }

// Quorum returns how many of n sentinels must agree: the majority.
func Quorum(n int32) int32 { return n/2 + 1 }

func defaultImage(t InstanceType) string {
	if t == TypeSentinel {
		return DefaultSentinelImage
	}
	return DefaultKVRocksImage
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
