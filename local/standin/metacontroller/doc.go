// Package metacontroller holds a stand-in for Metacontroller: a small composer
// that speaks the CompositeController hook protocol, for machines that cannot
// pull the real image. It exists for tests and demos of the local cluster only.
//
//   - api: the CompositeController object.
//   - apply: the three-way merge of a child. Pure.
//   - claim: which observed objects belong to a parent. Pure.
//   - hook: one webhook.
//   - composite: the loop of one CompositeController.
//   - manager: starts and stops a loop for each CompositeController.
//   - cmd: the program, with the real program's flags and ports.
//   - contract: one behaviour suite for the stand-in and for the real program.
//
// Not imitated, and refused or reported where it would matter:
// DecoratorController, the Rolling update strategies (and so ControllerRevision),
// etag caching, clientTLS, basicAuth, endpointConfigs and namespaceSelector.
package metacontroller
