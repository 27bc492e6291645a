// Package api is the CompositeController object of group metacontroller.k8s.io,
// version v1alpha1, as far as the stand-in understands it.
package api
