// Package kvrocks speaks the Redis protocol to data nodes and sentinels. It is the
// only package that imports a Redis client, and it imports nothing of Kubernetes. Layouts
// are those of the planner ([layout.Layout]).
//
//   - [Node] is one data node: what it is ([Node.Observe]) and the commands that
//     change its role and settings. Of a node of a cluster also its layout
//     ([Node.ClusterInfo], [Node.ClusterNodes], [Node.SetLayout]) and the moves of slots
//     ([Node.MigrateSlots], [Node.CountKeys]).
//   - [Sentinel] is one sentinel: what it monitors and the commands that repair it.
//   - [Subscriber] delivers the events of one sentinel as they happen.
//
// Node and Sentinel hold at most one connection each, opened by the first command and
// kept until Close or a failure. Nothing is retried here: a method sends its commands
// once and reports, and the caller's next pass is the retry. Both are safe for
// concurrent use; commands of one of them are sent one after the other. [Options.OnLost]
// tells at once that the other side ended a connection.
//
// What goes over the wire is countable: each method says how many commands it sends,
// a new connection adds one HELLO (two when the server refuses it: AUTH follows), and
// [Options.OnCommand] sees every command. ROLE is never sent, it can crash kvrocks
// during a full sync.
//
// # Errors
//
// Every failure is an [*Error]. A caller branches with [errors.Is] on the Err values of
// this package: one table translates what servers answer, and network failures become
// [ErrUnreachable], more exactly [ErrRefused] (nothing listens) or [ErrTimeout] (something
// listens, or silence: a hung process, a dead host). A context that ends first is the
// caller's decision and says nothing about the server: the error then matches the
// context's error and not ErrUnreachable.
//
// A password appears in no error and in no log line: [Secret] prints as stars, and
// server replies that quote an argument are masked.
package kvrocks
