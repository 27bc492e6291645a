// Package plan decides what the sidecar does next. It is pure: an [Input] (what the topology wants, what was observed,
// what time it is) goes in, a [Plan] (actions, report, events) comes out. It does no I/O and keeps no state; what must be
// remembered from one pass to the next is in the status that it reports.
//
// The caller observes, plans, applies the actions in their order, writes the status, and observes again. It may stop or
// crash between any two actions: the next pass derives the rest from what it then sees. A settled instance plans nothing.
//
// The contract is in input.go, cluster_input.go and action.go: what a pass is told, and what it may do. pass.go and plan.go put a
// plan together, package period says how soon the next is wanted, member.go is a pod with all that is known of it. What the sentinels
// say of a master is summed up in package quorum.
//
// The safety rules that every plan obeys are in docs/architecture.md. In [Standard] they are, in the order of a pass:
//
//	config.go       the wanted password first, because a wrong one looks like a dead node
//	fencing.go      what has restarted is fenced: it takes no traffic
//	standard.go     which node is the master: one switch over what is recorded and what is seen, which leads to
//	bootstrap.go    the first master: every member must answer
//	failover.go     a master that answers, has restarted, or is silent; the successor that the sentinels elected
//	silence.go      what is known of a silent master without the sentinels' word
//	successor.go    the successor that the sidecar chooses, and when the choice is its own
//	lineage.go      which member has the best claim to be master, by what was reported of each volume
//	unfit.go        what others made master, checked against it
//	handover.go     a planned move
//	replication.go  replicas follow the proved master, and are attached when in sync (in_sync.go, lag_bounds.go, sequence_history.go)
//	monitors.go     sentinels watch the proved master
//	replace.go      pods that are to run another template
//	scale.go        which members may leave, and which must not be elected
//	config.go       settings that are applied live
//	storage.go      volumes that fill up
//	deletion.go     an instance that is being deleted
//	report.go       the status, with conditions.go, journal.go and unknown_settings.go; same_report.go says whether it is worth writing
//
// The pass of an instance of sentinels is in sentinel_instance.go, with the change of their password in sentinel_password.go.
//
// In [Cluster] kvrocks-controller keeps the record of the masters and of the owners of slots, the sentinels only say which
// masters are down, and the sidecar decides. A layout, whatever it comes from, is one of package layout. What is known of one shard is the
// pass of a standard instance; what differs is in
//
//	cluster.go              the order of a pass
//	cluster_shard.go        one shard in it
//	cluster_layout.go       which layout is right: the record, that of a live node, or the last report
//	cluster_recovery.go     the layout that volumes remember, when nothing else knows one
//	cluster_record.go       creation, and a record that was lost, is old, or holds an old password
//	cluster_master.go       the master that the record names, and when another is to be named
//	cluster_handover.go     a planned move
//	cluster_propagation.go  replicas, and giving the nodes a new record
//	cluster_members.go      nodes and shards that come and go
//	cluster_moves.go        slots that move: what package migration sees of the pass, and has it do
//	cluster_deletion.go     a cluster that is being deleted
//	cluster_report.go       the status
//	cluster_slots.go        does every slot have one owner?
//
// Slots are moved at the end of a pass, when the layout is known to every node: package migration decides how, package rebalance which.
//
// The tests are scenarios of one pass in text; package simulation has lives under random faults in which the safety rules are
// checked at every action.
package plan
