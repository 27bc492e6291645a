// Package smoke checks that the local cluster is a Kubernetes that our tests may rely on, and that nothing of it stays.
//
// Its tests have the build tag smoke, because they bring the machine's one local cluster up and down:
//
//	go test -tags smoke -count=1 -v ./smoke
package smoke
