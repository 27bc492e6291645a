package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Release is a release of kvrocks 2 that is imitated, such as 2.10.1, which is what the zero value stands for.
type Release struct{ text string }

const testedRelease = "2.10.1"

// ParseRelease reads a release; empty is 2.10.1.
func ParseRelease(text string) (Release, error) {
	r := Release{text}
	if text != "" && r.minor() < 0 {
		return Release{}, fmt.Errorf("not a release of kvrocks 2: %q", text)
	}
	return r, nil
}

// String returns its number.
func (r Release) String() string {
	if r.text == "" {
		return testedRelease
	}
	return r.text
}

// Since reports whether it is 2.minor or a later one.
func (r Release) Since(minor int) bool { return r.minor() >= minor }

func (r Release) minor() int {
	rest, ok := strings.CutPrefix(r.String(), "2.")
	digits, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return -1
	}
	return n
}

// rawByDefault is the release that began to move raw keys by default (apache/kvrocks #2990), and rawOnly the one that moves no others and knows
// none of the settings of the other way any more (#3544).
const (
	rawByDefault = 13
	rawOnly      = 17
)

// adapt makes the table of options that of the release.
func (c *Config) adapt() {
	if c.Release.Since(rawByDefault) {
		o := c.options["migrate-type"]
		o.initial = "raw-key-value"
		c.options["migrate-type"], c.values["migrate-type"] = o, o.initial
	}
	if c.Release.Since(rawOnly) {
		c.deprecated = map[string]bool{}
		for _, name := range [...]string{"migrate-type", "migrate-speed", "migrate-pipeline-size"} {
			delete(c.options, name)
			delete(c.values, name)
			c.deprecated[name] = true
		}
	}
}
