// Package kvctl speaks the HTTP API of kvrocks-controller, for one cluster. It knows no Redis protocol and nothing of
// Kubernetes.
//
// A [Client] makes changes to the record and reads it back. A shard is known by a node id or an address of it and is
// looked up in a fresh record before each change, because kvrocks-controller reorders its shards.
//
// # Who is asked
//
// With several replicas one leads. The others answer a GET with a redirect, but carry out a POST or DELETE themselves,
// behind the leader's back (read in its source and measured on 1.2.0). So each change begins with a GET that finds the
// leader, and is sent to the leader alone. Redirects are followed for GET only.
//
// # Errors
//
// Every failure is an [*Error] whose Kind is one of [ErrNotFound], [ErrExists], [ErrRefused], [ErrUnavailable] and
// [ErrChanged]. Nothing is retried here. An answer that is not in the form of kvrocks-controller, such as a proxy's error
// page, is ErrUnavailable, whatever its status: a 404 of another server must not be taken for a record that is gone.
//
// The record is a [layout.Layout]. kvrocks-controller answers passwords in clear text. They are compared here and never leave the package.
package kvctl
