// Package scenarios holds whole stories, told on a real Kubernetes: instances are created, masters are killed, volumes
// lost, operators restarted, and what the README promises is checked from outside, through the API server and the Redis
// protocol only.
//
// The tests need a cluster with the operator installed (`make local-up install`), whose Service addresses and processes
// can be reached from here, which is the case on the local cluster. KUBECONFIG names it; by default it is the local one.
package scenarios
