// Package contract holds the tests that the stand-in and the real kvrocks-controller 1.2.0 must both pass, so that the one
// cannot drift from the other. They start the program with a real etcd and with kvrocks nodes, on loopback, and look at
// nothing but what a client and a node can see. KVROCKS_CONTROLLER_BIN and KVROCKS_BIN name real programs; without them the
// stand-ins are built and run.
package contract
