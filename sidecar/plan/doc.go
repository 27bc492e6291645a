// Package plan decides what the sidecar does next. It is pure: an [Input] (what the topology wants, what was observed,
// what time it is) goes in, a [Plan] (actions, report, events) comes out. It does no I/O and keeps no state; what must be
// remembered from one pass to the next is in the status that it reports.
//
// The caller observes, plans, applies the actions in their order, writes the status, and observes again. It may stop or
// crash between any two actions: the next pass derives the rest from what it then sees. A settled instance plans nothing.
//
// The contract is in input.go and plan.go: what a pass is told, and what it decides. pass.go tells what is known of a
// shard from what is decided of it, and puts a plan together; member.go is a pod with all that is known of it.
//
// What can be said without a pass stands in packages of its own: condition (verdicts and their reasons), lineage (which member has the best
// claim to be master, by what was reported of each volume), journal (what was failed over), quorum (what sentinels say of a master),
// settings (which a node has otherwise), release (which one is older), storage (how full a volume is), lag and report (what is worth
// reporting), action (what a pass may do), monitor (what the sentinels are told), period (how soon the next pass is wanted).
//
// The safety rules that every plan obeys are in docs/architecture.md. In [Standard] they are, in the order of a pass:
//
//	config.go            the wanted password first, because a wrong one looks like a dead node
//	fencing.go           what has restarted is fenced: it takes no traffic
//	standard.go          the order of a pass
//	standard_carrier.go  which node is the master: what is recorded and seen; what the sentinels do; how a member is promoted
//	machine.go           what becomes of a master that serves, has restarted, is silent or not ready; and of one that others promoted
//	successor.go         the first master, for which every member must answer; the successor that the sidecar chooses; and what others made master, checked against the lineage
//	failover.go          the record of an outage, its end, and how it is journalled
//	silence.go           what is known of a silent master without the sentinels' word
//	lineage.go           what package lineage is shown of a member
//	handover.go          a planned move
//	primary.go           the pod that the spec names as master
//	replication.go       replicas follow the proved master, and are attached when in sync (in_sync.go)
//	monitors.go          sentinels watch the proved master
//	replace.go           pods that are to run another template
//	scale.go             which members may leave, and which must not be elected
//	config.go            settings that are applied live
//	storage.go           volumes that fill up
//	deletion.go          an instance that is being deleted
//	report.go            the status, and its conditions
//
// The pass of an instance of sentinels is in package sentinelset.
//
// In [Cluster] kvrocks-controller keeps the record of the masters and of the owners of slots, the sentinels only say which
// masters are down, and the sidecar decides. A layout, whatever it comes from, is one of package layout. What is done alike is in the
// files above; what becomes of a master is decided in machine.go, failover.go and successor.go for both kinds, and carried out by a carrier.
// What a cluster adds is in
//
//	cluster.go              the order of a pass
//	cluster_shard.go        one shard in it
//	cluster_layout.go       which layout is right: the record, that of a live node, or the last report; and who is given it
//	cluster_recovery.go     the layout that volumes remember, when nothing else knows one
//	cluster_record.go       creation, and a record that was lost, is old, or holds an old password
//	cluster_master.go       the master that the record names
//	cluster_carrier.go      how another is made master, by kvrocks-controller and SETNODES
//	cluster_handover.go     a planned move
//	cluster_members.go      nodes and shards that come and go
//	cluster_moves.go        slots that move: what package migration sees of the pass, and has it do; has every slot one owner?
//	cluster_report.go       the status
//
// Slots are moved at the end of a pass, when the layout is known to every node: package migration decides how, package rebalance which.
//
// The tests are scenarios of one pass in text (testdata/README.md); package simulation has lives under random faults in which the safety rules are
// checked at every action.
package plan
