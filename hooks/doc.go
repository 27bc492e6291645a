// Package hooks answers Metacontroller's sync, finalize and customize calls for a KVRocks.
//
// Every function is pure: no clock, no randomness, no network, no environment, and the request is only read. Equal facts
// give equal bytes; Metacontroller would call again at once, for ever, if they did not.
//
// A call first reads the request into an instance (instance.go), then one file per mode (standard.go, sentinel.go,
// cluster.go) says what the instance becomes, with one builder file per kind. rollout.go and scale.go decide how far a
// change may go now, given what the sidecar reports in the KVRocksTopology. status.go tells people.
//
// To look at an answer, post a request of testdata to a running hook server, or read the golden file beside it.
package hooks
