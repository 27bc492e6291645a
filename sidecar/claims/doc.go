// Package claims decides which PersistentVolumeClaims of an instance are to ask for more, and says what each waits for. It is pure: it
// does no I/O and has no clock. Package reconcile asks the API server for the expansions, and reports.
//
// The claims of a pod are made from the template of its StatefulSet, which keeps the size that the instance was made with, and get the
// wanted size here, once they are bound. A claim never shrinks: one that asks for more than is wanted stays as it is.
//
//	expansion.go    the volumes that an instance has, and the expansions that are due
//	state.go        what a volume waits for
//	report.go       the condition StorageReady, the sizes in the report, and events
package claims
