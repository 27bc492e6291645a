// Package controller and the packages below it are a stand-in for kvrocks-controller 1.2.0. It answers the same HTTP API, keeps its
// record in a real etcd and imitates what can be observed of the real program, including its refusals and its mistakes.
//
//   - config: the configuration file.
//   - record: shards, nodes, roles and slots, with a version. Pure.
//   - store: the record in etcd, and the election of the leader.
//   - node: how kvrocks is spoken to.
//   - api: the HTTP API.
//   - probe: what the leader does by itself.
//   - cmd: the program.
//   - contract: the tests that both programs must pass.
//
// Not imitated: stores other than etcd, and authentication.
package controller
