// Package validation says what is wrong with a KVRocks and what to write instead. Admission refuses nearly all of it, but a CRD may
// be older than the hooks, and some of it admission cannot see.
//
//	validation.go        the rules in their order, those of every type, and those that compare with what is observed
//	storage.go           volumes do not shrink
//	service.go           what Services may be
//	primary.go           pods that are to be masters
//	network.go           who may reach the pods
//	cluster.go           those of a cluster: its components, and slots that are to move
//
// What kvrocksConfig may hold is said by package kvrocksconf.
package validation
