// Package store keeps the record of clusters in etcd, under the real program's keys, and elects the leader there.
package store
