// Command sidecar is the part of the operator that talks to running data nodes and sentinels.
//
// Every flag can also be set by an environment variable: KVROCKS_SIDECAR_ and the name in capitals with underscores, such
// as KVROCKS_SIDECAR_LEASE_DURATION. A flag wins over its variable.
package main
