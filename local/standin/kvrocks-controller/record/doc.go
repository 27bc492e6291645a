// Package record is what kvrocks-controller remembers of a cluster: shards, their nodes, roles and slots, and a version
// that grows with each change. It is pure: it reads and writes texts and JSON and does no I/O.
package record
