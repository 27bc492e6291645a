// Package apply decides what a child should look like: a three-way merge of the
// observed object, the configuration applied last and the desired
// configuration, in the style of "kubectl apply" but without knowing any type.
//
// It follows Metacontroller's dynamic apply, including where that guesses: see
// [Merge].
package apply
