package condition

// Reasons of the conditions.
const (
	// PrimaryAvailable.

	// ReasonMasterServing: the master answers, is attached and labelled.
	ReasonMasterServing = "MasterServing"
	// ReasonAttaching: the master is proved and is being put into the Services.
	ReasonAttaching = "Attaching"
	// ReasonWaitingForMembers: no master can be chosen before the named members answer.
	ReasonWaitingForMembers = "WaitingForMembers"
	// ReasonPromoting: a member is being made master.
	ReasonPromoting = "Promoting"
	// ReasonMasterDown: the recorded master does not serve, and it is not yet time to replace it.
	ReasonMasterDown = "MasterDown"
	// ReasonSentinelElecting: the sentinels are replacing the master.
	ReasonSentinelElecting = "SentinelElecting"
	// ReasonHandingOver: writes are stopped for a planned move.
	ReasonHandingOver = "HandingOver"
	// ReasonWouldLoseWrites: the member with the most data lacks more writes than spec.failover.maxLostWrites allows.
	ReasonWouldLoseWrites = "WouldLoseWrites"
	// ReasonControllerUnavailable: kvrocks-controller does not answer, and without it no master can be replaced.
	ReasonControllerUnavailable = "ControllerUnavailable"
	// ReasonCreating: the cluster is being created.
	ReasonCreating = "Creating"
	// ReasonRebuilding: kvrocks-controller has lost its record of the cluster, and it is made again from what the nodes say.
	ReasonRebuilding = "Rebuilding"

	// ReasonShardsMissing: the volumes remember slots of shards that the cluster does not have; the message says what to do.
	ReasonShardsMissing = "ShardsMissing"

	// ReplicationHealthy.

	// ReasonReplicasLinked: every wanted replica is attached and its link is up.
	ReasonReplicasLinked = "ReplicasLinked"
	// ReasonMixedVersions: as ReplicasLinked, but the nodes run different releases.
	ReasonMixedVersions = "MixedVersions"
	// ReasonNoReplicas: none is wanted.
	ReasonNoReplicas = "NoReplicasWanted"
	// ReasonReplicasMissing: some wanted replica is not attached or its link is not up.
	ReasonReplicasMissing = "ReplicasMissing"
	// ReasonReplicasLagging: some wanted replica replicates and is too far behind to be in sync.
	ReasonReplicasLagging = "ReplicasLagging"
	// ReasonJoining: a shard is not in the cluster yet.
	ReasonJoining = "Joining"

	// SentinelAgreed; the others are those of [quorum.View.Agreement].

	// ReasonReleasing: the monitors are being removed because the instance is being deleted.
	ReasonReleasing = "Releasing"

	// StorageHealthy.

	// ReasonVolumesHaveRoom: no volume is as full as spec.storage.warnPercent says.
	ReasonVolumesHaveRoom = "VolumesHaveRoom"
	// ReasonVolumeNearlyFull: some volume is; everything works.
	ReasonVolumeNearlyFull = "VolumeNearlyFull"
	// ReasonVolumeFull: some volume has no space left. PrimaryAvailable has it as well when it is that of a master, which then
	// refuses writes.
	ReasonVolumeFull = "VolumeFull"
	// ReasonMaxSizeReached: some database has reached max-db-size and refuses writes.
	ReasonMaxSizeReached = "MaxSizeReached"
	// ReasonSyncLacksSpace: some volume has no room for a full sync.
	ReasonSyncLacksSpace = "SyncLacksSpace"

	// ConfigApplied and CredentialsApplied.

	// ReasonApplied: done.
	ReasonApplied = "Applied"
	// ReasonApplying: under way.
	ReasonApplying = "Applying"
	// ReasonRefused: a node refused it; the message quotes the node.
	ReasonRefused = "Refused"
	// ReasonUnknownSettings: True, but kvrocks ignores the settings that the message names, because it does not know them.
	ReasonUnknownSettings = "UnknownSettings"
	// ReasonRestartRequired: a node takes the setting only when it starts.
	ReasonRestartRequired = "RestartRequired"
	// ReasonSecretUnreadable: the password could not be read.
	ReasonSecretUnreadable = "SecretUnreadable"

	// PrimaryPlaced.

	// ReasonPrimaryAsNamed: the pods that the spec names are masters.
	ReasonPrimaryAsNamed = "PrimaryAsNamed"
	// ReasonPrimaryMovedOn: some was, and the role has moved on since.
	ReasonPrimaryMovedOn = "PrimaryMovedOn"

	// SlotsAssigned.

	// ReasonAllAssigned: every slot has one owner, and the nodes that serve know it.
	ReasonAllAssigned = "AllAssigned"
	// ReasonSlotsMissing: some slots belong to no shard, or to two.
	ReasonSlotsMissing = "SlotsMissing"
	// ReasonLayoutSpreading: some serving node has not taken the record yet.
	ReasonLayoutSpreading = "LayoutSpreading"
	// ReasonWritesRefused: a master refuses writes to slots that it owns; the message says how to end that.
	ReasonWritesRefused = "WritesRefused"
)
