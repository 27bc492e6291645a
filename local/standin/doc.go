// Package standin and the packages below it stand in for programs that cannot be had without an image registry, for tests and
// demos only: kvrocks, kvrocks-controller and metacontroller. Of each, package cmd is the program, which goes into an image under the
// real name, and package contract the one suite of tests that it and the real program must pass. KVROCKS_BIN,
// KVROCKS_CONTROLLER_BIN and METACONTROLLER_BIN name real programs, for the images and for the suites. Package programtest is what
// the suites share.
//
// A stand-in imitates what the operator can observe, refusals, delays and crashes included. What it imitates is held by its suite, and
// what nothing uses goes. It knows nothing of the operator, nor the operator of it.
package standin
