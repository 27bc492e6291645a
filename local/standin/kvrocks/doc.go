// Package kvrocks and the packages below it are a stand-in for kvrocks 2.10.1, for tests and demos of the operator on
// machines that cannot pull the real image. It keeps its data in memory and in an append-only log, and imitates what
// can be observed of the real program, including its refusals. Package contract holds the tests that both must pass.
package kvrocks
