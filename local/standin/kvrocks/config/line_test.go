package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzLine(f *testing.F) {
	f.Add("port 7000")
	f.Add(`requirepass "a\"b" # c`)
	f.Add("slaveof 127.0.0.1 7000")
	f.Fuzz(func(t *testing.T, line string) {
		key, value, err := parseLine(line)
		if err != nil || key == "" {
			return
		}
		gotKey, gotValue, err := parseLine(formatLine(key, value))
		require.NoError(t, err)
		assert.Equal(t, key, gotKey)
		assert.Equal(t, value, gotValue)
	})
}
