package config

import (
	"errors"
	"strings"
)

// parseLine splits a line of kvrocks.conf into a key and a value. Comments and empty lines give an empty key.
// A value may be quoted with ' or "; a # starts a comment in an unquoted value.
func parseLine(line string) (key, value string, err error) {
	line = strings.TrimSpace(line)
	end := strings.IndexAny(line, " \t\r\v\f#")
	if end < 0 {
		return line, "", nil
	}
	key, rest := line[:end], strings.TrimSpace(line[end:])
	switch {
	case rest == "" || rest[0] == '#':
		return key, "", nil
	case rest[0] == '"' || rest[0] == '\'':
		value, err = unquote(rest)
		return key, value, err
	}
	value, _, _ = strings.Cut(rest, "#")
	return key, strings.TrimSpace(value), nil
}

func unquote(s string) (string, error) {
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case s[0]:
			if rest := strings.TrimSpace(s[i+1:]); rest != "" && rest[0] != '#' {
				return "", errors.New("more than 2 item in config line")
			}
			return out.String(), nil
		case '\\':
			i++
			if i == len(s) {
				break
			}
			if at := strings.IndexByte("'\"\\trnvfb", s[i]); at >= 0 {
				out.WriteByte("'\"\\\t\r\n\v\f\b"[at])
			}
		default:
			out.WriteByte(s[i])
		}
	}
	return "", errors.New("config line ends unexpectedly in quoted string")
}

// formatLine is the inverse of parseLine.
func formatLine(key, value string) string {
	if value == "" {
		return key + ` ""`
	}
	if !strings.ContainsAny(value, " \t\r\n\v\f\"'#") {
		return key + " " + value
	}
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`, `"`, `\"`, "\t", `\t`, "\r", `\r`, "\n", `\n`, "\v", `\v`,
		"\f", `\f`, "\b", `\b`)
	return key + ` "` + escape.Replace(value) + `"`
}
