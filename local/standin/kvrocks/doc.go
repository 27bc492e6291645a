// Package kvrocks and the packages below it are a stand-in for kvrocks 2.10.1. It keeps its data in memory and in an append-only log, and
// imitates what can be observed of the real program, including its refusals. With KVROCKS_STANDIN_RELEASE in its environment, which spec.podTemplate can
// set, it shows what differs in that release; contract says what does, and from where that is known.
//
//   - config: kvrocks.conf and CONFIG.
//   - store: the keys, and the log whose batches carry a sequence and a replication id.
//   - cluster: a node's layout of the cluster. Pure.
//   - server: the protocol, replication, migrations, and the locks as far as a client feels them.
//   - cmd: the program.
//   - contract: the tests that both programs must pass.
//
// Not imitated, and refused as an unknown command: every data type but strings, hashes, lists, sets and sorted sets, scripts, streams,
// search, and of those five the commands that no test, scenario or client library of this tree sends.
package kvrocks
