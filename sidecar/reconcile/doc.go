// Package reconcile runs the sidecar: for each KVRocksTopology it observes the data nodes and sentinels, asks package plan
// what to do, applies it, and reports in the topology's status. Package kube is its side of Kubernetes, package
// conn has its connections.
//
// # One pass
//
//	cache ─┐
//	nodes ─┼─► plan.Input ─► plan.Standard ─► plan.Plan ─► actions ─► status ─► events
//	sentinels ┤               plan.Cluster     (status first when the plan has an intent)
//	kvrocks-controller ┘
//
// A pass runs on one worker at a time per topology. It is started by a change of the topology or of a pod, by an event of
// a sentinel, by a lost connection, when the plan asks for one (Plan.Again), and otherwise once per [Options.Period].
// The first action that fails ends the pass; the next pass sees what is left to do.
//
// Of a cluster, kvrocks-controller is asked in every pass while something is going on, and otherwise once per half a minute;
// the long CLUSTER NODES is asked of a node whose layout has another version than before, and otherwise once per minute.
// Keys are counted in the background of the passes, and replicas that are slow to take a layout are not waited for.
//
// # Files
//
//	options.go             all that can be set, with the defaults
//	run.go                 the process: caches and leader election (package kube), workers, probes and /metrics (serve.go, metrics.go)
//	work_queue.go          when the next pass of a topology is due, and what a pass that fails or panics costs (running_passes.go)
//	reconciler.go          one pass, and what is kept between the passes of a topology (instance.go)
//
//	upgrade_grant.go       how many instances roll at a time because of a new version of the operator
//
//	observe.go             asks all nodes and sentinels at the same time: observe_cluster.go for a cluster
//	node.go                one data node; its settings (node_settings.go), volume (node_storage.go) and layout (node_layout.go)
//	slot_count.go          counts keys in the background
//	sentinel_view.go       what one sentinel says of an instance; the instance of sentinels as such (sentinel_instance.go)
//	kvrocks_controller.go  the record: reading it, and the actions on it
//
//	volumes.go             expands volumes, and reports on them; package claims decides
//	apply.go               carries out the actions of a plan in their order
//	pod_actions.go         those on pods
//	node_actions.go        those on data nodes: layouts (layout_actions.go), moves of slots (move_slots.go), clients of a former master,
//	                       dropped in the background (drop_clients.go)
//	sentinel_actions.go    those on sentinels
//	orphan.go              a master that outlives its pod
//
// # What it remembers
//
// Everything that a decision depends on is in the topology's status or is observed in each pass. In memory are only connections,
// when a node last answered, and which password a sentinel was given: losing these costs a few more commands.
//
// # One leader
//
// Two replicas run, one holds the Lease. Only the leader opens connections and writes. Its work is bound to a context that
// ends with the lease, and a stopping leader first finishes its passes and then gives the lease away.
package reconcile
