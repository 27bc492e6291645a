// Package server answers Metacontroller's hook calls over HTTP: it decodes a request, calls a pure function of package
// hooks, and encodes the answer. [NewHandler] is the whole router, for tests and for main; package cmd owns sockets,
// files and signals.
//
// An answer other than 200 makes Metacontroller apply nothing and try again with backoff, so every failure here leaves
// the running instances as they are.
package server
