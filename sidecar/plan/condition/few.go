package condition

import (
	"strconv"
	"strings"
)

// namedAtMost is how many shards, pods or ranges a message names.
const namedAtMost = 3

// Few are the first of many names.
type Few struct {
	names []string
	more  int
}

// Add adds a name.
func (f *Few) Add(name string) {
	if len(f.names) == namedAtMost {
		f.more++
		return
	}
	f.names = append(f.names, name)
}

// Join returns the names in words, and how many more there are in those of rest, which may have a place for the number.
func (f *Few) Join(sep, rest string) string {
	text := strings.Join(f.names, sep)
	if f.more > 0 {
		text += strings.Replace(rest, "%d", strconv.Itoa(f.more), 1)
	}
	return text
}

// Empty reports whether there is none.
func (f *Few) Empty() bool { return len(f.names) == 0 }
