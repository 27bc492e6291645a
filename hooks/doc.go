// Package hooks answers Metacontroller's sync, finalize and customize calls for a KVRocks.
//
// Every function is pure: no clock, no randomness, no network, no environment, and the request is only read. Equal facts
// give equal bytes; Metacontroller would call again at once, for ever, if they did not.
//
// hooks.go has the three calls, scope.go those for some namespaces only. A call first reads the request into an instance (instance.go)
// and refuses what is wrong (packages validation and podtemplate, errors.go), then one file per type (standard.go, sentinel.go, cluster.go) says what the
// instance becomes. Three types embed the instance, one for each part of the answer. builder, and clusterBuilder for what only a cluster
// has, make the children:
//
//	shard.go             a master and its replicas: one for a standard instance, spec.master for a cluster
//	storage.go           how large volumes are and are to be
//	statefulset.go       data pods: pod_spec.go, placement.go, config_epoch.go; deployment.go for sentinels
//	pod_template.go      which podTemplate is merged into the template of which pods (package podtemplate)
//	configmap.go         kvrocks.conf (package kvrocksconf), the addresses of the pods, and the scripts; secret.go the password
//	service.go           Services, client_service.go what spec.service says of those that clients use; network_policy.go and pdb.go what goes with them
//	etcd.go              etcd of a cluster, and when it begins again (etcd_step.go)
//	kvrocks_controller.go kvrocks-controller and its configuration
//	topology.go          the KVRocksTopology, by which the sidecar knows what is wanted
//	names.go             names and labels; selector.go what is selected by which, and what an observed object must keep
//	encode.go            children as equal bytes; declaration.go the hash of each, by which an observed one is known
//	pause.go             an instance whose planned changes a person holds
//	keep_children.go     observed children as they are, when nothing is to be changed
//
// rollout says how far a change may go now, given what the sidecar reports in the KVRocksTopology:
//
//	step.go              how many pods, and what is waited for
//	rollout.go           which pods are to be replaced, and in which order
//	upgrade.go           what a new version of the operator changes waits for a grant
//	deleting.go          an instance that is being deleted
//
// statusBuilder makes the status of the KVRocks, in status.go and cluster_status.go: conditions.go, and pod_problems.go for why a pod does
// not serve (package podstate).
//
// To look at an answer, post a request of testdata to a running hook server, or read the golden file beside it.
package hooks
