// Package conn holds the sidecar's connections: to data nodes, sentinels and kvrocks-controller, with the passwords that open
// them. A pass asks over them and decides what the answers mean; here is only how far a question got.
//
// # Files
//
//	endpoints.go     what is needed of nodes, sentinels and kvrocks-controller, as interfaces; the real network
//	session.go       one connection, and the password that opens it
//	credentials.go   passwords, from Secrets
//	inflight.go      a question that a pass need not wait for
//	reachability.go  how far a question got, by its error
//	sentinel.go      the connection to one sentinel that all instances share, and what its events said
//	sentinel_load.go how busy a sentinel is
//	sentinel_pool.go the connections to all sentinels, and which event starts which pass
package conn
