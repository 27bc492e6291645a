// Package contract holds one suite of tests for the stand-in and for the real
// Metacontroller, against a real kube-apiserver and etcd: what the operator
// relies on must be true of both.
//
// The program under test is the stand-in, built for the run, or the binary that
// METACONTROLLER_BIN names. The API server and etcd come from
// KUBEBUILDER_ASSETS or from the cache of the local cluster, where they are
// built the first time.
//
//	go test ./standin/metacontroller/contract
//	METACONTROLLER_BIN=/usr/bin/metacontroller go test ./standin/metacontroller/contract
package contract
