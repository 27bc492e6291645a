package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/config"
)

func load(t *testing.T, text string, overrides ...[2]string) (*config.Config, string, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "kvrocks.conf")
	require.NoError(t, os.WriteFile(path, []byte("dir "+dir+"/data\n"+text), 0o644))
	var warnings bytes.Buffer
	c, err := config.Load(path, overrides, &warnings)
	if err == nil {
		assert.Empty(t, rewritten(t, c, path), "CONFIG REWRITE of an untouched file changes nothing that is read from it")
	}
	return c, warnings.String(), err
}

// rewritten rewrites the file and returns the options that are read differently afterwards.
func rewritten(t *testing.T, c *config.Config, path string) (changed []string) {
	t.Helper()
	require.NoError(t, c.Rewrite())
	again, err := config.Load(path, nil, &bytes.Buffer{})
	require.NoError(t, err)
	after := again.Get("*")
	for i, kv := range c.Get("*") {
		if after[i] != kv {
			changed = append(changed, kv[0])
		}
	}
	return changed
}

func TestFileFormat(t *testing.T) {
	for line, want := range map[string]string{
		"requirepass secret":             "secret",
		"  requirepass\tsecret  ":        "secret",
		"requirepass secret # comment":   "secret",
		"requirepass two words":          "two words",
		`requirepass "with # inside"`:    "with # inside",
		`requirepass 'single "quotes"'`:  `single "quotes"`,
		`requirepass "a\"b\\c\td"`:       "a\"b\\c\td",
		`requirepass "closed" # comment`: "closed",
		"REQUIREPASS upper":              "upper",
		"# requirepass secret":           "",
		"requirepass":                    "",
		"":                               "",
	} {
		c, warnings, err := load(t, line+"\n")
		require.NoError(t, err, line)
		assert.Equal(t, want, c.Text("requirepass"), line)
		assert.Empty(t, warnings, line)
	}
}

func TestBadFiles(t *testing.T) {
	for line, want := range map[string]string{
		`requirepass "open`:      "at line #L2: malformed line: config line ends unexpectedly in quoted string",
		`requirepass "a" b`:      "at line #L2: malformed line: more than 2 item in config line",
		"port 0":                 "at line #L2: failed to set value of field 'port': out of numeric range",
		"slave-read-only maybe":  "argument must be 'yes' or 'no'",
		"log-level loud":         "acceptable values are 'info', 'warning', 'error', 'fatal'",
		"slaveof host":           "while changing key 'slaveof': wrong number of arguments",
		"slaveof host 0":         "while changing key 'slaveof': should be between 0 and 65535",
		"proto-max-bulk-len 1x":  "encounter unexpected unit: `x`",
		"proto-max-bulk-len 1kb": "encounter unexpected unit: `kb`",
	} {
		_, _, err := load(t, line+"\n")
		assert.ErrorContains(t, err, want, line)
	}
}

func TestUnknownKeysAndOverrides(t *testing.T) {
	c, warnings, err := load(t, "bogus 1\nport 7000\n", [2]string{"port", "7001"}, [2]string{"nonsense", "1"})
	require.NoError(t, err)
	assert.Equal(t, 7001, c.Number("port"))
	assert.Contains(t, warnings, "WARNING: 'bogus' at line 2 is not a valid configuration key.")
	assert.Contains(t, warnings, "WARNING: 'nonsense' at line -1 is not a valid configuration key.")
}

func TestRewriteKeepsCommentsAndOrder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kvrocks.conf")
	text := "# head\nport 7000\n\nbogus 1\nslaveof 127.0.0.1 7000\ndir " + dir + "\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	c, err := config.Load(path, nil, &bytes.Buffer{})
	require.NoError(t, err)
	c.SetMaster("", 0)
	require.NoError(t, c.Set("requirepass", "two words"))
	require.NoError(t, c.Set("maxclients", "100"))
	require.NoError(t, c.Rewrite())
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "# head\nport 7000\n\nbogus 1\nslaveof \"no one\"\ndir "+dir+
		"\nmaxclients 100\nrequirepass \"two words\"\n", string(got))
	host, _ := c.Master()
	assert.Empty(t, host)
}
