// Command cmd is the stand-in for /usr/bin/metacontroller: the same flags and
// ports (:9999 /metrics, :8081 /healthz and /readyz), and the behaviour that
// package composite describes.
package main
