// Package scenarios holds whole stories, told on a real Kubernetes: instances are created, masters are killed, volumes
// lost, operators restarted, and what the README promises is checked from outside, through the API server and the Redis
// protocol only.
//
// The tests need a cluster with the operator installed (`make local-up install`), whose Service addresses and processes
// can be reached from here, which is the case on the local cluster. KUBECONFIG names it; by default it is the local one.
//
// What the stories share:
//
//   - kubernetes_test.go: a story's namespace, what it applies and waits for, and the conditions of an instance.
//   - instances_test.go, cluster_instances_test.go: CRs, and what is true of an instance that is settled.
//   - pods_test.go, loss_test.go: pods, and how they and their volumes are lost.
//   - invariants_test.go: what must hold at every moment, signals to processes, and what is printed of a story that failed.
//   - slots_test.go: the layouts of kvrocks-controller and of nodes, read without code of the operator.
//   - sentinel_test.go: connections to sentinels.
//   - progress_test.go: what clients write, and the gaps in that. Clients are in writer_test.go, cluster_writer_test.go (one lane for
//     each range of slots), and, with default options, in default_clients_test.go and python_client_test.go.
//   - fill_test.go: many keys, and whether they are still there.
//   - pulse_test.go, span_test.go: gaps, and how much of one the machine itself caused.
//   - spinning_test.go: packet filters between pods.
//   - bare_test.go: the same programs without the operator, for comparisons.
//   - install_test.go: commands of the documentation, and an operator that is taken away and put back.
//
// Not a test is demo.sh, which `make demo` runs.
package scenarios
