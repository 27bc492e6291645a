// Package layout is a cluster's layout: which nodes are in which shard, which of them is the master, and which slots the shard owns. It
// is the one type for it, whatever it comes from: kvrocks-controller's record, a node, the last report, or what volumes remember.
//
//	layout.go     the type, and finding shards and nodes in it
//	judge.go      is it complete, are two the same, how are the slots distributed
//	derive.go     layouts that differ from the record on purpose: to stop writes, to strand replicas, to make a move fail
//	slot_move.go  a move of slots, as one end reports it
//	recalled.go   what the volumes of a shard remember together, and of all shards
//	saved.go      what a volume remembers of the layout that its node had
package layout
