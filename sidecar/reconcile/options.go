package reconcile

import (
	"os"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
)

// Options are the settings of the sidecar. Start from [DefaultOptions].
type Options struct {
	// Namespaces to work in; none means all.
	Namespaces []string
	// ConcurrentUpgrades is how many instances may be rolled at the same time because a new version of the operator makes other
	// pods; 0 lets none.
	ConcurrentUpgrades int
	// Workers is how many topologies are worked on at the same time.
	Workers int
	// Period is how often a settled instance is looked at when nothing happens.
	Period time.Duration
	// Timeout bounds one command to a node or sentinel, with dialling. A process that is silent for longer counts as unresponsive.
	Timeout time.Duration
	// SecretTTL is how long a password that was read is used before it is read again. A refused login reads it at once.
	SecretTTL time.Duration
	// Address of the HTTP server for /healthz, /readyz and /metrics.
	Address string
	// Lease is the leader election.
	Lease kube.LeaseOptions
	// QPS and Burst limit calls to the API server.
	QPS   float32
	Burst int
}

// DefaultOptions returns the settings of the shipped Deployment.
func DefaultOptions() Options {
	host, _ := os.Hostname()
	return Options{
		ConcurrentUpgrades: 2,

		Workers:   8,
		Period:    10 * time.Second,
		Timeout:   2 * time.Second,
		SecretTTL: 30 * time.Second,
		Address:   ":8080",
		Lease: kube.LeaseOptions{
			Namespace:     "kvrocks-system",
			Name:          "kvrocks-sidecar",
			Identity:      host,
			Duration:      6 * time.Second,
			RenewDeadline: 4 * time.Second,
			RetryPeriod:   time.Second,
		},
		QPS:   50,
		Burst: 100,
	}
}
