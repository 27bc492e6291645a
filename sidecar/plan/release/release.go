// Package release compares the releases of kvrocks that nodes say they are. What a node can do is found out by asking it; its release
// is for reports, and for rules about two nodes.
package release

import (
	"slices"
	"strconv"
	"strings"
)

// Older reports whether release a is older than release b: 2.9.1 than 2.10. What has no numbers, such as an unreleased build, is neither older
// nor newer than anything.
func Older(a, b string) bool {
	x, y := numbers(a), numbers(b)
	return x != nil && y != nil && slices.Compare(x, y) < 0
}

// numbers returns those of a release; nil when it has none.
func numbers(release string) []int {
	var all []int
	for part := range strings.SplitSeq(release, ".") {
		digits := part[:len(part)-len(strings.TrimLeft(part, "0123456789"))]
		n, err := strconv.Atoi(digits)
		if err != nil {
			break
		}
		all = append(all, n)
	}
	return all
}

// Mixed returns in words which releases run side by side, whatever their order; empty when it is one, or none is known. "" is not known.
func Mixed(releases []string) string {
	known := slices.DeleteFunc(slices.Clone(releases), func(r string) bool { return r == "" })
	slices.SortFunc(known, func(a, b string) int {
		switch {
		case Older(a, b):
			return -1
		case Older(b, a):
			return 1
		}
		return strings.Compare(a, b)
	})
	known = slices.Compact(known)
	if len(known) < 2 {
		return ""
	}
	last := len(known) - 1
	return "kvrocks " + strings.Join(known[:last], ", ") + " and " + known[last] + " run side by side until every pod is replaced"
}
