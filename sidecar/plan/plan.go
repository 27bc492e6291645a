package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// SentinelInput is all that the pass of a sentinel instance knows. In that pass monitors that no topology claims
// are removed; everything else about the sentinels is repaired in the pass of the instance that they monitor.
type SentinelInput struct {
	// Now is the time of the observation.
	Now time.Time
	// Topology of the sentinel instance, with its last status.
	Topology *v1alpha1.KVRocksTopology
	// Views are its pods; Masters of each view holds every name that the sentinel monitors.
	Views map[string]SentinelView
	// Claimed are the master names that some topology of the namespace wants this instance to monitor.
	Claimed map[string]bool
	// Credentials says whether the wanted password could be read, and Password whether one is wanted.
	Credentials Credentials
	Password    bool
}
