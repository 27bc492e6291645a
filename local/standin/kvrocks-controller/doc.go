// Package controller and the packages below it are a stand-in for kvrocks-controller 1.2.0, for tests and demos of the
// operator on machines that cannot pull the real image. It answers the same HTTP API, keeps its record in a real etcd and
// imitates what can be observed of the real program, including its refusals and its mistakes. Package contract holds the
// tests that both must pass.
package controller
