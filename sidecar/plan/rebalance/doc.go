// Package rebalance decides which slots are to go from which shard to which: what spec.migrate asks for, what shards that leave must
// give away, and what makes the others equal. It is pure, works on slots and numbers of shards alone, and knows no nodes.
//
//	queue.go      the entries of status.migrations, made from the last ones, from what is wanted, and from what is where
//	requests.go   what spec.migrate asks for, as far as it can be met
//	rebalance.go  the moves of a drain and of a rebalance
//	owners.go     which shard has which slot
package rebalance
