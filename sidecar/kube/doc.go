// Package kube is the sidecar's side of Kubernetes: what a pass reads of topologies and pods, and what it writes to them. It
// knows nothing of nodes and sentinels, and decides nothing.
//
// Informers may lag behind what this process wrote itself. Objects that it wrote are kept until the informer shows them or
// something newer (see overlay), so that no pass decides on a state older than its own last write.
//
// # Files
//
//	cache.go        topologies and pods as the informers have them, corrected by overlay.go
//	handlers.go     which change in Kubernetes starts which pass
//	topologies.go   reading and reporting topologies
//	pods.go         what of a pod matters; the readiness gate, the role label, deletion
//	claims.go       volume claims, and expanding them
//	pod_failures.go why a StatefulSet cannot make a pod
//	events.go       events of a KVRocks
//	finalizer.go    the finalizer of the older operator
//	leader.go       the Lease: one replica works
package kube
