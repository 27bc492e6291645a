// Package metacontroller is the CompositeController hook protocol of
// Metacontroller (hook version v2), narrowed to the one parent that we have:
// a KVRocks CR.
//
// Metacontroller POSTs JSON to three hooks and applies what they answer:
//
//   - sync: [SyncRequest] → [SyncResponse], whenever the parent, a child or a
//     related object changes.
//   - finalize: [SyncRequest] with Finalizing true → [FinalizeResponse], while
//     the parent is being deleted.
//   - customize: [CustomizeRequest] → [CustomizeResponse], once per generation
//     of the parent; it selects the related objects of the other two.
//
// Requests are decoded loosely, because a newer Metacontroller may send more
// than we know. Responses are decoded strictly by Metacontroller: an unknown or
// a duplicated field is an error, and then nothing of the response is applied.
//
// The protocol is documented at
// https://metacontroller.github.io/metacontroller/api/compositecontroller.html
// (sync, finalize) and
// https://metacontroller.github.io/metacontroller/api/customize.html.
//
// compositecontroller.yaml beside this file registers the hooks, and its list
// of child kinds must match [Children]; a test compares the two.
package metacontroller
