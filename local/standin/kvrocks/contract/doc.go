// Package contract holds the tests that the stand-in and the real kvrocks 2.10.1 must both pass, so that the one
// cannot drift from the other. They start the program and look at nothing but what a client, an operator or sentinel
// can see. Without KVROCKS_BIN they build and run the stand-in; with it they run the program it names.
package contract
