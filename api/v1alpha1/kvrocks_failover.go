package v1alpha1

// Failover tunes how soon a dead master is replaced. The names are those of redis-sentinel.
type Failover struct {
	// DownAfterMilliseconds without an answer make a sentinel call the master down. Without sentinels kvrocks-controller replaces
	// the master of a shard after 1 to 1.5 times this, in whole seconds rounded up, and after 2 s at the earliest.
	// +optional
	// +kubebuilder:default=5000
	// +kubebuilder:validation:Minimum=500
	// +kubebuilder:validation:Maximum=600000
	DownAfterMilliseconds int32 `json:"downAfterMilliseconds,omitempty"`
	// FailoverTimeoutMilliseconds bounds one failover; a failed one is tried again after twice this time.
	// +optional
	// +kubebuilder:default=20000
	// +kubebuilder:validation:Minimum=1000
	// +kubebuilder:validation:Maximum=3600000
	FailoverTimeoutMilliseconds int32 `json:"failoverTimeoutMilliseconds,omitempty"`
	// ParallelSyncs is how many replicas may follow the new master at the same time.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=99
	ParallelSyncs int32 `json:"parallelSyncs,omitempty"`
	// MaxLagWrites is how many writes a replica may be behind its master (counted in sequence numbers). One that is further
	// behind is not in sync: it takes no reads from the replicas' Service and succeeds no master while another member is missing.
	// It is in sync again at a tenth of this.
	// +optional
	// +kubebuilder:default=1000000
	// +kubebuilder:validation:Minimum=100000
	MaxLagWrites int64 `json:"maxLagWrites,omitempty"`
	// MaxLagSeconds is how long a replica may lack a write that its master has, however few there are. One that lacks it for
	// longer is not in sync, as with maxLagWrites.
	// +optional
	// +kubebuilder:default=60
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=86400
	MaxLagSeconds int32 `json:"maxLagSeconds,omitempty"`
	// MaxLostWrites is how many writes a promotion may lose (counted in sequence numbers): one that would lose more waits, and
	// the condition PrimaryAvailable says so. Then the sidecar alone promotes: sentinels only say what is down, and
	// kvrocks-controller does not act by itself. Unset: no bound, the member with the most data succeeds.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxLostWrites *int64 `json:"maxLostWrites,omitempty"`
}
