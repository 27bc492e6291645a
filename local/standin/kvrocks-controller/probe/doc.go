// Package probe is what the leader does by itself: it asks every node of every cluster for its topology's version at an
// interval, pushes the topology to those that are behind, takes over the topology of one that is ahead, replaces a master
// that does not answer, and follows migrations that were asked for through the API.
package probe
