// Package hookstest is what the tests of package hooks and of the packages below it share.
package hookstest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// ReadCR returns the KVRocks among the documents of a file. A file without one fails the test.
func ReadCR(t testing.TB, raw []byte) *v1alpha1.KVRocks {
	t.Helper()
	for document := range strings.SplitSeq(string(raw), "\n---\n") {
		cr := new(v1alpha1.KVRocks)
		require.NoError(t, yaml.Unmarshal([]byte(document), cr))
		if cr.Kind == "KVRocks" {
			return cr
		}
	}
	t.Fatal("no KVRocks in the file")
	return nil
}
