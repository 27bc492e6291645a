package v1alpha1

// Labels, annotations and gates shared by the hooks and the sidecar.
const (
	// LabelName, LabelInstance, LabelComponent and LabelManagedBy are the recommended labels of Kubernetes.
	LabelName      = "app.kubernetes.io/name"
	LabelInstance  = "app.kubernetes.io/instance"
	LabelComponent = "app.kubernetes.io/component"
	LabelManagedBy = "app.kubernetes.io/managed-by"

	// LabelKVRocks names the KVRocks, on its children, its pods, and the volumes that outlive it. Tools take LabelInstance
	// for their own: Argo CD deletes what carries it, has no owner and is not in its repository.
	LabelKVRocks = Group + "/instance"

	// NameValue and ManagedByValue are the values of LabelName and LabelManagedBy on every child.
	NameValue      = "kvrocks"
	ManagedByValue = "kvrocks-operator"

	// LabelShard carries the shard's index on data pods; "0" for a standard instance.
	LabelShard = Group + "/shard"
	// LabelRole is set on data pods by the sidecar: RoleMaster or RoleReplica. A pod whose place is not proved has none.
	LabelRole = Group + "/role"
	// LabelMonitoredBy on a KVRocks names the sentinel KVRocks of the same namespace that watches it.
	LabelMonitoredBy = "kvrocks/monitored-by"

	// AnnotationMigration on a KVRocks pauses the moving of slots while its value is MigrationPaused.
	AnnotationMigration = Group + "/migration"
	MigrationPaused     = "paused"

	// AnnotationPaused on a KVRocks holds every planned change while its value is PausedValue. Failover goes on.
	AnnotationPaused = Group + "/paused"
	PausedValue      = "true"

	// AnnotationRelease on a KVRocks that is being deleted, with the value ReleaseSkipped: its pods go although the sidecar has
	// not released it.
	AnnotationRelease = Group + "/release"
	ReleaseSkipped    = "skip"

	// AttachedGate is the readiness gate of data pods. Only the sidecar sets it, and only once it has proved where the
	// pod belongs.
	AttachedGate = Group + "/attached"
)

// Values of LabelComponent.
const (
	ComponentSentinel   = "sentinel"
	ComponentData       = "data"
	ComponentEtcd       = "etcd"
	ComponentController = "controller"
)

// Ports and container names.
const (
	// DefaultPort is where data nodes listen unless kvrocksConfig sets "port".
	DefaultPort = 6379
	// SentinelPort is where sentinels listen.
	SentinelPort = 26379

	// ControllerPort is where kvrocks-controller listens.
	ControllerPort = 9379

	ContainerKVRocks = "kvrocks"
	// ContainerRecall is the init container whose termination message says what the volume of a cluster's node remembers.
	ContainerRecall     = "recall"
	ContainerSentinel   = "sentinel"
	ContainerEtcd       = "etcd"
	ContainerController = "controller"
)

// VolumeData is the volume, and the claim, of a pod that keeps data.
const VolumeData = "data"

// Keys of a password Secret.
const (
	// PasswordKey is the default key of the password in a Secret.
	PasswordKey = "password"
	// PreviousPasswordKey holds, in the Secret that the operator generates, the password before the last change, so that
	// the sidecar can still log in to nodes that have not taken the new one yet.
	PreviousPasswordKey = "previous-password"
)
