// Package cluster holds the cluster topology of one node as CLUSTERX SETNODES gives it: which node serves which slot,
// where a key belongs, and how that is written as CLUSTER NODES and as nodes.conf. It does no I/O and takes no locks.
package cluster
