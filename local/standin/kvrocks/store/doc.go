// Package store keeps the data of one stand-in server: an ordered keyspace in memory and an append-only log on disk.
//
// Every write is a batch of operations with a sequence number, as in a RocksDB write-ahead log: a batch takes as many
// numbers as it changes records, so the sequence of a node says how much it has seen. A batch also carries the id of
// the replication history it was written in. Both survive a restart, which is what the promotion rules of the
// operator rest on. A batch is handed to the kernel before it is acknowledged, so killing the process loses nothing.
//
// On disk a generation n is a snapshot `base.n` and the batches after it, `log.n`; the file CURRENT names n. A full
// sync writes a new generation and switches CURRENT by rename.
package store
