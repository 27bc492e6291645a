// Package manager watches CompositeController objects and keeps one running
// loop for each. A changed spec stops the old loop, waits for it, and starts a
// new one; a deleted object stops its loop.
package manager
