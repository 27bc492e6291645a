// Package node is how the stand-in for kvrocks-controller talks to kvrocks nodes.
package node
