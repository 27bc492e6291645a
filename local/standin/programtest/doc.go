// Package programtest is what the contract tests share: it finds the programs that they run over, starts them on
// loopback ports, waits for what they do, and ends them with the test, whether it passed or not. A program is signalled by
// its own process id.
package programtest
