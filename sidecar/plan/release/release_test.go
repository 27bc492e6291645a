package release

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOlder(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"2.10.1", "2.17.0", true},
		{"2.9.0", "2.10.0", true},
		{"2.10.0", "2.10.1", true},
		{"2.12.1", "2.13", true},
		{"2.13.0", "2.13", false},
		{"2.10.1", "2.10.1", false},
		{"2.17.0", "2.10.1", false},
		{"2.15.0-rc1", "2.16.0", true},
		{"unstable", "2.17.0", false},
		{"2.10.1", "unstable", false},
		{"", "2.17.0", false},
		{"2.10.1", "", false},
	} {
		assert.Equal(t, c.want, Older(c.a, c.b), "%s older than %s", c.a, c.b)
	}
}

func TestMixed(t *testing.T) {
	assert.Empty(t, Mixed(nil))
	assert.Empty(t, Mixed([]string{"2.10.1", "", "2.10.1"}))
	const want = "kvrocks 2.9.0, 2.10.1 and 2.17.0 run side by side until every pod is replaced"
	assert.Equal(t, want, Mixed([]string{"2.17.0", "2.9.0", "2.10.1", "", "2.17.0"}))
	assert.Equal(t, want, Mixed([]string{"2.10.1", "2.17.0", "2.9.0"}), "whatever their order")
}
