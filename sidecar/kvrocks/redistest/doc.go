// Package redistest starts real servers on loopback ports for tests: redis-server,
// redis-sentinel, and kvrocks where KVROCKS_BIN names a binary that takes `-c
// kvrocks.conf`. A server ends with its test, and is signalled by its own process id.
//
// A test that needs a program which is not installed fails and says what to install; it
// is never skipped.
package redistest
