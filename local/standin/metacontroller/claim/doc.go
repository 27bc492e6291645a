// Package claim decides which observed objects a parent owns, adopts or lets
// go, by the rules that ReplicaSet and Metacontroller share.
package claim
