// Package reconcile runs the sidecar: for each KVRocksTopology it observes the data nodes and sentinels, asks package plan
// what to do, applies it, and reports in the topology's status.
//
// # One pass
//
//	cache ─┐
//	nodes ─┼─► plan.Input ─► plan.Standard ─► plan.Plan ─► actions ─► status ─► events
//	sentinels ┤               plan.Cluster     (status first when the plan has an intent)
//	kvrocks-controller ┘
//
// A pass runs on one worker at a time per topology. It is started by a change of the topology or of a pod, by an event of
// a sentinel, by a lost connection, by the plan's own wish (Plan.Again), and otherwise once per [Options.Period].
// The first action that fails ends the pass; the next pass sees what is left to do.
//
// Of a cluster, kvrocks-controller is asked in every pass while something is going on, and otherwise once per half a minute;
// the long CLUSTER NODES is asked of a node whose layout has another version than before, and otherwise once per minute.
// Keys are counted in the background of the passes, and replicas that are slow to take a layout are not waited for.
//
// # What it remembers
//
// Everything that a decision depends on is in the topology's status or is observed anew. In memory are only connections,
// when a node last answered, and which password a sentinel was given: losing these costs a few more commands.
//
// Informers may lag behind what this process wrote itself. Objects that it wrote are kept until the informer shows them
// or something newer (see overlay), so that no pass decides on a state older than its own last write.
//
// # One leader
//
// Two replicas run, one holds the Lease. Only the leader opens connections and writes. Its work is bound to a context that
// ends with the lease, and a stopping leader first finishes its passes and then gives the lease away.
package reconcile
