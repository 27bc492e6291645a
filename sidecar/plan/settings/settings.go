// Package settings compares the settings of a node with the wanted ones.
package settings

import (
	"slices"
	"strconv"
	"strings"
)

// blobSetting comes before the details of blob files: kvrocks refuses those while it is off, and a refusal is not tried again.
const blobSetting = "rocksdb.enable_blob_files"

// Differing lists the settings that a node has otherwise than wanted, in the order in which they can be applied. What the
// node does not know is none of them.
func Differing(have, wanted map[string]string) []string {
	var names []string
	for name, want := range wanted {
		if value, known := have[name]; known && normal(value) != normal(want) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if i := slices.Index(names, blobSetting); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, blobSetting)
	}
	return names
}

// units of kvrocks.conf, in bytes.
var units = []struct {
	suffix string
	bytes  int64
}{
	{"gb", 1 << 30}, {"mb", 1 << 20}, {"kb", 1 << 10}, {"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {"b", 1},
}

// normal brings a value into the form in which equal settings are equal: without quotes, in lower case, one space
// between words, sizes in bytes.
func normal(value string) string {
	v := strings.ToLower(strings.Join(strings.Fields(strings.Trim(strings.TrimSpace(value), `"'`)), " "))
	for _, u := range units {
		if digits, ok := strings.CutSuffix(v, u.suffix); ok {
			if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
				return strconv.FormatInt(n*u.bytes, 10)
			}
		}
	}
	return v
}
