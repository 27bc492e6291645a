// Package hook calls one webhook of a CompositeController: it resolves how to
// reach it, POSTs a request, and decodes the response as strictly as the hook's
// version asks for.
package hook
