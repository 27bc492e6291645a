package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// InstanceType says what a KVRocks becomes.
// +kubebuilder:validation:Enum=sentinel;standard;cluster
type InstanceType string

// The three kinds of instance.
const (
	// TypeSentinel is a Deployment of Redis sentinels.
	TypeSentinel InstanceType = "sentinel"
	// TypeStandard is one master and its replicas in one StatefulSet, failed over by sentinel.
	TypeStandard InstanceType = "standard"
	// TypeCluster is one StatefulSet per shard, with etcd and kvrocks-controller.
	TypeCluster InstanceType = "cluster"
)

// KVRocks is one instance of Apache Kvrocks, or the sentinels that watch such instances.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=kvrocks,singular=kvrocks,shortName=kvr,categories=all
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.ready`,description="ready pods / wanted pods"
// +kubebuilder:printcolumn:name="Master",type=string,JSONPath=`.status.master`,description="pod that is the master (standard)"
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Shards",type=string,priority=1,JSONPath=`.status.shardsReady`,description="shards with a master / wanted shards (cluster)"
// +kubebuilder:printcolumn:name="Slots",type=string,priority=1,JSONPath=`.status.slots`,description="assigned slots / all slots (cluster)"
// +kubebuilder:printcolumn:name="Sentinel",type=string,priority=1,JSONPath=`.metadata.labels.kvrocks/monitored-by`
// +kubebuilder:printcolumn:name="Image",type=string,priority=1,JSONPath=`.status.image`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.reason`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 40",message="metadata.name must have at most 40 characters, because names such as <name>-controller and <name>-<shard>-<pod> are derived from it; choose a shorter name"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must start with a letter and hold only a-z, 0-9 and '-', because Services are named after it"
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('-(master|replicas|config|auth|etcd|etcd-peer|controller)$')",message="metadata.name must not end with -master, -replicas, -config, -auth, -etcd, -etcd-peer or -controller, because another instance derives such names; choose another name"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.storage) || !has(oldSelf.spec.storage) || quantity(string(self.spec.storage.size)).compareTo(quantity(string(oldSelf.spec.storage.size))) >= 0 || (has(self.status) && has(self.status.volumes) && has(self.status.volumes.data) && quantity(string(self.spec.storage.size)).compareTo(quantity(string(self.status.volumes.data))) >= 0)",message="spec.storage.size cannot become smaller, because volumes do not shrink; write at least what status.volumes.data says, or create a new KVRocks and move the data"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.spec.cluster) || !has(oldSelf.spec.cluster.etcd) || !has(oldSelf.spec.cluster.etcd.storage) || quantity(string(has(self.spec.cluster) && has(self.spec.cluster.etcd) && has(self.spec.cluster.etcd.storage) ? self.spec.cluster.etcd.storage.size : '1Gi')).compareTo(quantity(string(oldSelf.spec.cluster.etcd.storage.size))) >= 0 || (has(self.status) && has(self.status.volumes) && has(self.status.volumes.etcd) && quantity(string(has(self.spec.cluster) && has(self.spec.cluster.etcd) && has(self.spec.cluster.etcd.storage) ? self.spec.cluster.etcd.storage.size : '1Gi')).compareTo(quantity(string(self.status.volumes.etcd))) >= 0)",message="spec.cluster.etcd.storage.size cannot become smaller (it is 1Gi when it is left out), because volumes do not shrink; write at least what status.volumes.etcd says"
// +kubebuilder:validation:XValidation:rule="self.spec.type != 'standard' || !has(self.spec.primary) || size(self.spec.primary) == 0 || (self.spec.primary.startsWith(self.metadata.name + '-') && self.spec.primary.substring(self.metadata.name.size() + 1).matches('^(0|[1-9][0-9]?)$') && int(self.spec.primary.substring(self.metadata.name.size() + 1)) < self.spec.replicas)",message="spec.primary must name a pod of this instance that stays, <name>-<pod> with a pod below spec.replicas; write for example the name and -1, or leave it out"
type KVRocks struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec KVRocksSpec `json:"spec"`
	// +optional
	Status KVRocksStatus `json:"status,omitempty"`
}

// KVRocksList is a list of KVRocks.
//
// +kubebuilder:object:root=true
type KVRocksList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []KVRocks `json:"items"`
}

// KVRocksSpec is what a person wants.
//
// +kubebuilder:validation:XValidation:rule="self.type == oldSelf.type",message="spec.type cannot be changed on a live instance; create a new KVRocks of the wanted type and move the data"
// +kubebuilder:validation:XValidation:rule="!(has(self.password) && size(self.password) > 0 && has(self.passwordSecretRef))",message="spec.password and spec.passwordSecretRef are both set; keep one of them"
// +kubebuilder:validation:XValidation:rule="self.type != 'sentinel' || (self.replicas >= 3 && self.replicas % 2 == 1)",message="a sentinel instance needs an odd number of replicas, at least 3, so that a quorum exists; write replicas: 3 or replicas: 5"
// +kubebuilder:validation:XValidation:rule="self.type != 'cluster' || (has(self.master) && self.master >= 3 && self.master % 2 == 1)",message="a cluster needs spec.master (the number of shards): odd and at least 3; write master: 3"
// +kubebuilder:validation:XValidation:rule="self.type != 'cluster' || !has(self.master) || self.master * self.replicas <= 1000",message="a cluster can have at most 1000 pods (spec.master times spec.replicas); write fewer shards or replicas"
// +kubebuilder:validation:XValidation:rule="self.type != 'standard' || !has(self.master) || self.master == 1",message="a standard instance has one master; write master: 1 or leave it out (for more shards use type: cluster)"
// +kubebuilder:validation:XValidation:rule="self.type != 'sentinel' || !has(self.storage)",message="a sentinel keeps no data; leave spec.storage out"
// +kubebuilder:validation:XValidation:rule="self.type != 'sentinel' || !has(self.kvrocksConfig)",message="kvrocksConfig is for data nodes; leave it out of a sentinel instance"
// +kubebuilder:validation:XValidation:rule="self.type != 'sentinel' || !has(self.image) || !self.image.matches('(^|/)redis(-sentinel)?:v?([0-5]([.-].*)?|6[.][01]([.-].*)?)(@.*)?$')",message="spec.image is a redis-sentinel older than 6.2, which does not know resolve-hostnames; write a newer one, for example docker.io/library/redis:7.0.15"
// +kubebuilder:validation:XValidation:rule="self.type == 'cluster' || !has(self.migrate)",message="spec.migrate moves slots between the shards of a cluster; leave it out unless type is cluster"
// +kubebuilder:validation:XValidation:rule="self.type == 'cluster' || !has(self.cluster)",message="spec.cluster holds settings of type: cluster; leave it out"
// +kubebuilder:validation:XValidation:rule="self.type == 'sentinel' || int(has(self.kvrocksConfig) && 'port' in self.kvrocksConfig ? self.kvrocksConfig['port'] : '6379') == int(has(oldSelf.kvrocksConfig) && 'port' in oldSelf.kvrocksConfig ? oldSelf.kvrocksConfig['port'] : '6379')",message="kvrocksConfig.port cannot be changed on a live instance; write the former port again (6379 if there was none), or create a new KVRocks with the wanted port and move the data"
// +kubebuilder:validation:XValidation:rule="self.type == 'sentinel' || !has(self.kvrocksConfig) || !('repl-namespace-enabled' in self.kvrocksConfig) || self.kvrocksConfig['repl-namespace-enabled'] == (self.type == 'standard' ? 'yes' : 'no')",message="repl-namespace-enabled must be yes in a standard instance, or tokens of namespaces are lost at restarts and failovers, and no in a cluster, which has no namespaces; leave it out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!has(self.drainSeconds) || (self.drainSeconds >= 0 && self.drainSeconds <= 300)",message="spec.drainSeconds is how many seconds a pod that goes keeps answering; write a number from 0 to 300"
// +kubebuilder:validation:XValidation:rule="has(self.storage) || !has(self.cluster) || !has(self.cluster.etcd) || !has(self.cluster.etcd.storage)",message="spec.cluster.etcd.storage needs spec.storage: etcd has volumes when the data nodes do; set spec.storage, or leave spec.cluster.etcd.storage out"
// +kubebuilder:validation:XValidation:rule="has(self.storage) == has(oldSelf.storage)",message="spec.storage cannot be added to or removed from a live instance; create a new KVRocks and move the data"
// +kubebuilder:validation:XValidation:rule="!has(self.migrate) || self.migrate.all(m, has(self.master) && m.shard < self.master)",message="spec.migrate names a shard that does not exist; shards are numbered from 0 to spec.master - 1"
// +kubebuilder:validation:XValidation:rule="self.type == 'standard' || !has(self.primary) || size(self.primary) == 0",message="spec.primary names the master of a standard instance; leave it out (in a cluster write spec.primaries, a pod for a shard)"
// +kubebuilder:validation:XValidation:rule="self.type == 'cluster' || !has(self.primaries)",message="spec.primaries names masters of the shards of a cluster; leave it out (in a standard instance write spec.primary, one pod)"
// +kubebuilder:validation:XValidation:rule="!has(self.primaries) || self.primaries.all(p, p.matches('^.+-(0|[1-9][0-9]{0,2})-(0|[1-9][0-9]?)$') && int(p.substring(p.lastIndexOf('-') + 1)) < self.replicas && (!has(self.master) || int(p.split('-')[p.split('-').size() - 2]) < self.master))",message="spec.primaries must name pods of this cluster that stay, <name>-<shard>-<pod> with a shard below spec.master and a pod below spec.replicas; write for example the name, -0-1 for pod 1 of shard 0"
// +kubebuilder:validation:XValidation:rule="self.type != 'cluster' || !has(self.service) || !((has(self.service.type) && self.service.type != 'ClusterIP') || has(self.service.sessionAffinity) || has(self.service.internalTrafficPolicy))",message="clients of a cluster reach each node at its own address, and its Service has none; leave spec.service.type, sessionAffinity and internalTrafficPolicy out (labels, annotations and appProtocol may stay)"
type KVRocksSpec struct {
	// Type says what this becomes: sentinel, standard or cluster. It cannot be changed later.
	Type InstanceType `json:"type"`

	// Image of the data nodes, or of redis-sentinel or valkey-sentinel for type sentinel. Default: the release that the operator was
	// tested with. A change is rolled out one pod at a time, the master last.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// ImagePullPolicy of Image.
	// +optional
	// +kubebuilder:default=IfNotPresent
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// ImagePullSecrets name Secrets of the same namespace for private registries.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`

	// Replicas is the number of sentinels (odd, at least 3), of pods of a standard instance (one of them the master),
	// or of pods per shard of a cluster.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=99
	Replicas int32 `json:"replicas,omitempty"`

	// Master is the number of shards of a cluster (odd, at least 3); 1 or unset otherwise.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=999
	Master *int32 `json:"master,omitempty"`

	// Password that clients and replicas use. Prefer passwordSecretRef, which keeps it out of this object.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^[!-~]*$`
	Password string `json:"password,omitempty"`

	// PasswordSecretRef names a Secret of the same namespace that holds the password.
	// +optional
	PasswordSecretRef *SecretKeyRef `json:"passwordSecretRef,omitempty"`

	// KVRocksConfig is merged into kvrocks.conf. Settings that kvrocks can change live are applied without a restart;
	// others are rolled out one pod at a time.
	// +optional
	KVRocksConfig KVRocksConfig `json:"kvrocksConfig,omitempty"`

	// Resources of the main container of each pod.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// NodeSelector of the pods.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// Tolerations of the pods.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// Toleration is the older operator's name of Tolerations. What it lists is added to them.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Toleration []corev1.Toleration `json:"toleration,omitempty"`

	// Affinity of the pods. Without podAntiAffinity the pods of a shard prefer different nodes; {podAntiAffinity: {}} turns that off.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// TopologySpreadConstraints of the pods; a constraint without a labelSelector gets that of the instance.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// PriorityClassName of the pods.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// PodAnnotations are added to every pod.
	// +optional
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`

	// PodTemplate is merged into the template of the data pods, or of the sentinels: a part of a PodTemplateSpec, merged as kubectl patch
	// does (labels, annotations, env, volumes, more containers, securityContext, probe timings, …). The container named kvrocks
	// (sentinel) is the operator's; what must stay as it is, and what has a field of its own in this spec, is refused with a message.
	// securityContext: {} leaves user and groups to the platform. A change is rolled out one pod at a time, the master last.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	PodTemplate *runtime.RawExtension `json:"podTemplate,omitempty"`

	// Service says how clients reach the instance: type, labels, annotations and traffic policies of its Services.
	// +optional
	Service *ServiceOptions `json:"service,omitempty"`

	// Storage of each data node. Without it the data lives in the pod (emptyDir) and only the replicas protect it.
	// +optional
	Storage *Storage `json:"storage,omitempty"`

	// DrainSeconds is how long a pod that goes (an update, scaling down, a drained node) keeps answering those that are
	// connected to it, after its place was taken and before its process ends: until then clients have learned where to go. Longer
	// than clients take for that, and than the network takes to forget the pod. A change is rolled out. Default: 5; 0 ends pods at once.
	// +optional
	// +kubebuilder:default=5
	DrainSeconds *int32 `json:"drainSeconds,omitempty"`

	// Primary names the pod that is to be the master of a standard instance, such as orders-2. It is made master once, by a planned
	// move that loses nothing, as soon as it is in sync. A failover or an update may move the role on later, and it is not moved
	// back; to ask again, take the name out and write it again.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Primary string `json:"primary,omitempty"`

	// Primaries names pods that are to be the masters of their shards of a cluster, such as orders-0-2 (pod 2 of shard 0), at most one of
	// each shard. Each is as primary is for a standard instance.
	// +optional
	// +kubebuilder:validation:MaxItems=999
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	Primaries []string `json:"primaries,omitempty"`

	// DeletionProtection has the API server refuse the deletion of this object, by whatever way, until it is false again. The label
	// kvrocks.apache.org/deletion-protection=true on a namespace does the same for that.
	// +optional
	DeletionProtection bool `json:"deletionProtection,omitempty"`

	// Failover tunes how soon a dead master is replaced.
	// +optional
	Failover *Failover `json:"failover,omitempty"`

	// Network says who reaches the pods.
	// +optional
	Network *Network `json:"network,omitempty"`

	// Cluster holds settings of type cluster.
	// +optional
	Cluster *ClusterSpec `json:"cluster,omitempty"`

	// Migrate lists slots and the shard that they should be on. An entry is done when every listed slot is there.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, a.shard == b.shard))",message="spec.migrate lists the same shard twice; put all its slots into one entry"
	Migrate []Migration `json:"migrate,omitempty"`
}

// KVRocksConfig is a set of lines of kvrocks.conf.
//
// +kubebuilder:validation:MaxProperties=256
// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[a-z][a-z0-9._-]{0,63}$'))",message="a key of kvrocksConfig must be the name of a kvrocks.conf setting, such as maxclients or rocksdb.block_size"
// +kubebuilder:validation:XValidation:rule="!('requirepass' in self) && !('masterauth' in self)",message="write the password into spec.password or spec.passwordSecretRef, not into kvrocksConfig.requirepass or masterauth"
// +kubebuilder:validation:XValidation:rule="!('slaveof' in self) && !('replicaof' in self)",message="kvrocksConfig.slaveof is decided by the operator; leave it out"
// +kubebuilder:validation:XValidation:rule="!('cluster-enabled' in self)",message="kvrocksConfig.cluster-enabled follows from spec.type; leave it out and write type: cluster"
// +kubebuilder:validation:XValidation:rule="!('replica-announce-ip' in self) && !('replica-announce-port' in self)",message="the operator announces the address of each pod's Service; leave replica-announce-ip and replica-announce-port out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!('dir' in self) && !('backup-dir' in self) && !('log-dir' in self) && !('pidfile' in self) && !('unixsocket' in self)",message="paths are fixed by the operator (data is in /var/lib/kvrocks); leave dir, backup-dir, log-dir, pidfile and unixsocket out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!('use-rsid-psync' in self) || self['use-rsid-psync'] == 'yes'",message="use-rsid-psync must stay yes, or a returning master keeps diverged data; leave it out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!('daemonize' in self) || self['daemonize'] == 'no'",message="daemonize must stay no in a container; leave it out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!('slave-read-only' in self) || self['slave-read-only'] == 'yes'",message="slave-read-only must stay yes, or replicas diverge; leave it out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!('bind' in self) || self['bind'] == '0.0.0.0'",message="bind must be 0.0.0.0 so that the pod can be reached; leave it out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!('slave-priority' in self) || self['slave-priority'] == '100'",message="slave-priority is used by the operator to keep a leaving pod from being elected; leave it out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!('slave-serve-stale-data' in self) || self['slave-serve-stale-data'] == 'yes'",message="slave-serve-stale-data must stay yes: every pod boots without a master and would then refuse even the operator's AUTH; leave it out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!('master-use-repl-port' in self) || self['master-use-repl-port'] == 'no'",message="master-use-repl-port must stay no, because replicas would connect to a port that no Service has; leave it out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!('rocksdb.write_options.disable_wal' in self) || self['rocksdb.write_options.disable_wal'] == 'no'",message="rocksdb.write_options.disable_wal must stay no, because replicas are fed from the WAL; leave it out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('tls-'))",message="the operator does not support TLS yet; leave the tls- settings out of kvrocksConfig, and encrypt between the machines (CNI or service mesh) where that is needed"
// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('namespace.'))",message="a token in kvrocksConfig could be read by everybody who reads this object; leave namespace. settings out, and send NAMESPACE ADD to the master, which keeps tokens over restarts and failovers"
// +kubebuilder:validation:XValidation:rule="!('socket-fd' in self)",message="kvrocks ignores bind and port when it has a socket-fd; leave it out of kvrocksConfig"
// +kubebuilder:validation:XValidation:rule="!('redis-databases' in self) || self['redis-databases'] == '0'",message="databases besides the first are not supported; leave redis-databases out of kvrocksConfig, and use a namespace (NAMESPACE ADD) or an instance for each"
// +kubebuilder:validation:XValidation:rule="!('migrate-batch-rate-limit-mb' in self) || self['migrate-batch-rate-limit-mb'].matches('^0*[1-9][0-9]{0,8}$')",message="kvrocks crashes or does not start with migrate-batch-rate-limit-mb 0; write 1024, which is as good as no limit"
// +kubebuilder:validation:XValidation:rule="!('maxclients' in self) || !self['maxclients'].matches('^0*([1-5]?[0-9]|6[0-3])$')",message="kvrocksConfig.maxclients must leave room for the sidecar, sentinels, replicas and probes, or a node that is full counts as dead; write at least 64"
// +kubebuilder:validation:XValidation:rule="!('rename-command' in self) || self['rename-command'].matches('^ *[^ ,]+ +[^ ,]+ *(, *[^ ,]+ +[^ ,]+ *)*$')",message="kvrocksConfig.rename-command must be the old and the new name, as in KEYS HIDDEN-KEYS, or KEYS and two quotes to take the command away; write a comma between several"
// +kubebuilder:validation:XValidation:rule="!('rename-command' in self) || !self['rename-command'].matches('(?i)(^|[^a-z0-9_.-])(auth|hello|client|info|ping|config|slaveof|replicaof|scan|set|clusterx|cluster|publish|subscribe|multi|exec|script|role|psync|replconf|_db_name|_fetch_meta|_fetch_file|applybatch|command)([^a-z0-9_.-]|$)')",message="kvrocksConfig.rename-command must leave alone what the operator, sentinels or replicas use (AUTH HELLO CLIENT INFO PING CONFIG SLAVEOF REPLICAOF SCAN SET CLUSTERX CLUSTER PUBLISH SUBSCRIBE MULTI EXEC SCRIPT ROLE PSYNC REPLCONF _DB_NAME _FETCH_META _FETCH_FILE APPLYBATCH COMMAND); leave it out"
// +kubebuilder:validation:XValidation:rule="!('port' in self) || (self['port'].matches('^[0-9]{4,5}$') && int(self['port']) >= 1024 && int(self['port']) <= 65535)",message="kvrocksConfig.port must be a number from 1024 to 65535 (pods run without root); leave it out for 6379"
type KVRocksConfig map[string]ConfigValue

// ConfigValue is the value of one line of kvrocks.conf.
//
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:Pattern=`^[^\r\n\x00]*$`
type ConfigValue string

// SecretKeyRef names one key of a Secret in the same namespace.
type SecretKeyRef struct {
	// Name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Key in the Secret.
	// +optional
	// +kubebuilder:default=password
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// ReclaimPolicy says what happens to volumes that no pod needs any more.
// +kubebuilder:validation:Enum=Retain;Delete
type ReclaimPolicy string

// The reclaim policies.
const (
	ReclaimRetain ReclaimPolicy = "Retain"
	ReclaimDelete ReclaimPolicy = "Delete"
)

// Storage asks for one volume per data node.
//
// +kubebuilder:validation:XValidation:rule="has(self.class) == has(oldSelf.class) && (!has(self.class) || self.class == oldSelf.class)",message="spec.storage.class cannot be changed on a live instance; create a new KVRocks and move the data"
type Storage struct {
	// Size of each volume. A larger one expands the volumes while they are in use, if their class allows that; they never shrink.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))",message="spec.storage.size must be a positive quantity, for example 10Gi"
	Size resource.Quantity `json:"size"`
	// Class is the StorageClass. Default: that of the Kubernetes cluster.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Class string `json:"class,omitempty"`
	// Reclaim says whether volumes are kept (Retain) or deleted (Delete) when a pod is scaled away or the instance is
	// deleted.
	// +optional
	// +kubebuilder:default=Retain
	Reclaim ReclaimPolicy `json:"reclaim,omitempty"`
	// WarnPercent is how full a volume may be, in percent, before the condition StorageHealthy says so.
	// +optional
	// +kubebuilder:default=85
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=99
	WarnPercent int32 `json:"warnPercent,omitempty"`
}
