// Package migration moves slots between the shards of a cluster: the life of each part, from its first key until every node knows its
// new owner. It is pure. What is to move is decided by package rebalance; the pass of the cluster, which is the [Cluster] here, gives the
// facts and carries the steps out.
//
//	view.go             what is seen of the shards, and what can be done to them
//	pass.go             what is under way, and which entry of status.migrations is next
//	begin.go            the next part of an entry
//	chunk.go            how much at once; with a limit of the speed, how long to pause (pace.go)
//	transfer.go         where a part stands
//	conclude.go         whether it arrived whole, and what happens when it did not
//	stuck.go            a move that waits for a node that is gone
//	write_forbidden.go  kvrocks must be made to take writes to slots that come back
package migration
