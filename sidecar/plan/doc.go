// Package plan decides what the sidecar does next. It is pure: an [Input] (what the topology wants, what was observed,
// what time it is) goes in, a [Plan] (actions, report, events) comes out. It does no I/O and keeps no state; what must be
// remembered from one pass to the next is in the status that it reports.
//
// The caller observes, plans, applies the actions in their order, writes the status, and observes again. It may stop or
// crash between any two actions: the next pass derives the rest from what it then sees. A settled instance plans nothing.
//
// The safety rules that every plan obeys are in docs/architecture.md.
package plan
