// Package plan decides what the sidecar does next. It is pure: an [Input] (what the topology wants, what was observed,
// what time it is) goes in, a [Plan] (actions, report, events) comes out. It does no I/O and keeps no state; what must be
// remembered from one pass to the next is in the status that it reports.
//
// The caller observes, plans, applies the actions in their order, writes the status, and observes again. It may stop or
// crash between any two actions: the next pass derives the rest from what it then sees. A settled instance plans nothing.
//
// The safety rules that every plan obeys are in docs/architecture.md. In [Standard] they are, in the order of a pass:
//
//	config.go       the wanted password first, because a wrong one looks like a dead node
//	gates.go        what has restarted is cut off
//	standard.go     who is the master? one switch over what is recorded and what is seen, which leads to
//	bootstrap.go      the first master: everybody must answer
//	failover.go       a master that answers, has restarted, or is silent; the successor that the sentinels elected
//	decide.go         the successor that the sidecar chooses, and when the choice is its own
//	handover.go       a planned move
//	replication.go  replicas follow the proved master, and are attached when in sync (insync.go)
//	monitors.go     sentinels watch the proved master
//	scale.go        who may leave, and who must not be elected
//	config.go       settings that are applied live
//	report.go       the status, with conditions.go, agreement.go and journal.go
//
// The tests are scenarios of one pass in text, and simulated lives under random faults in which the safety rules are
// checked at every action: go test -run SimulatedLives -seeds 10000.
package plan
