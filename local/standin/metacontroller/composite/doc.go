// Package composite runs the loop of one CompositeController: it watches the
// parents, their children and their related objects, and for each parent that
// changed it claims the children, calls the hook, brings the children to what
// the hook answered, and writes the parent's status.
//
// Nothing is applied unless the hook answered 200 with a response that decodes;
// the parent is then tried again with exponential backoff.
package composite
