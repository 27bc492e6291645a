package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Config holds the value of every option. It is safe for concurrent use.
type Config struct {
	mu      sync.RWMutex
	path    string // of the file it came from; empty if there is none
	options map[string]option
	// Release that is imitated.
	Release Release
	// deprecated options only write a warning when they are named.
	deprecated map[string]bool
	values     map[string]string
}

// refusal is an error in the real program's words, which a client or the log shows.
type refusal string

// Error returns the words.
func (r refusal) Error() string { return string(r) }

// option is one row of optionTable.
type option struct {
	restart bool
	kind    string
	initial string
	limits  []string
}

// Load reads the file, if one is named, and then the overrides, a list of key and value pairs from the command line.
// Unknown keys only write a warning to warnings.
func Load(path string, overrides [][2]string, warnings io.Writer) (*Config, error) {
	return LoadFor(Release{}, path, overrides, warnings)
}

// LoadFor is Load for another release.
func LoadFor(release Release, path string, overrides [][2]string, warnings io.Writer) (*Config, error) {
	c := &Config{path: path, Release: release, options: map[string]option{}, values: map[string]string{}}
	for row := range strings.Lines(strings.TrimSpace(optionTable)) {
		f := append(strings.Fields(row), "")
		limits := f[min(4, len(f)-1) : len(f)-1]
		c.options[f[0]] = option{restart: f[1] == "restart", kind: f[2], initial: f[3], limits: limits}
		c.values[f[0]] = f[3]
	}
	c.adapt()
	if path != "" {
		if err := c.loadFile(path, warnings); err != nil {
			return nil, err
		}
	} else {
		_, _ = fmt.Fprintln(warnings, "WARNING: No config file specified, using the default configuration. "+
			"In order to specify a config file use 'kvrocks -c /path/to/kvrocks.conf'")
	}
	for _, kv := range overrides {
		if err := c.loadPair(kv[0], kv[1], -1, warnings); err != nil {
			return nil, fmt.Errorf("CLI config option error: %w", err)
		}
	}
	if _, _, err := c.master(); err != nil {
		return nil, fmt.Errorf("while changing key 'slaveof': %w", err)
	}
	return c, os.MkdirAll(c.Text("dir"), 0o755)
}

func (c *Config) loadFile(path string, warnings io.Writer) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("failed to open file '%s': %w", path, err)
	}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		key, value, err := parseLine(line)
		if err != nil {
			return fmt.Errorf("at line #L%d: malformed line: %w", number, err)
		}
		if key == "" || value == "" {
			continue
		}
		if err := c.loadPair(key, value, number, warnings); err != nil {
			return fmt.Errorf("at line #L%d: %w", number, err)
		}
	}
	return nil
}

func (c *Config) loadPair(key, value string, line int, warnings io.Writer) error {
	key = strings.ToLower(key)
	o, known := c.options[key]
	switch {
	case c.deprecated[key]:
		_, _ = fmt.Fprintf(warnings, "WARNING: '%s' at line %d is deprecated and does not take effect.\n", key, line)
		return nil
	case !known:
		_, _ = fmt.Fprintf(warnings, "WARNING: '%s' at line %d is not a valid configuration key.\n", key, line)
		return nil
	}
	value, err := o.check(value)
	if err != nil {
		return fmt.Errorf("failed to set value of field '%s': %w", key, err)
	}
	c.values[key] = value
	return nil
}

// check returns the value as the option keeps it.
func (o option) check(value string) (string, error) {
	switch o.kind {
	case "flag":
		value = strings.ToLower(value)
		if value != "yes" && value != "no" {
			return "", errors.New("argument must be 'yes' or 'no'")
		}
	case "number":
		return checkRange(value, o.limits)
	case "size":
		return checkSize(value, o.limits)
	case "choice":
		value = strings.ToLower(value)
		if !slices.Contains(o.limits, value) {
			return "", fmt.Errorf("invalid enum option, acceptable values are '%s'", strings.Join(o.limits, "', '"))
		}
	}
	return value, nil
}

func checkRange(value string, limits []string) (string, error) {
	n, err := strconv.ParseInt(value, 0, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return "", refusal("Numerical result out of range")
	case err != nil && strings.IndexFunc(value, func(r rune) bool { return r >= '0' && r <= '9' }) == 0:
		return "", errors.New("encounter non-integer characters")
	case err != nil:
		return "", errors.New("not started as an integer")
	}
	low, _ := strconv.ParseInt(limits[0], 10, 64)
	high, _ := strconv.ParseInt(limits[1], 10, 64)
	if n < low || n > high {
		return "", errors.New("out of numeric range")
	}
	return strconv.FormatInt(n, 10), nil
}

func checkSize(value string, limits []string) (string, error) {
	digits := strings.TrimRight(value, "kKmMgGtTpP")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || len(value)-len(digits) > 1 {
		return "", errors.New("encounter unexpected unit: `" + strings.TrimLeft(value, "0123456789") + "`")
	}
	if unit := strings.ToLower(value[len(digits):]); unit != "" {
		n <<= 10 * (1 + strings.Index("kmgtp", unit))
	}
	return checkRange(strconv.FormatInt(n, 10), limits)
}

// Text returns the value of an option, lower-cased name.
func (c *Config) Text(name string) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.values[name]
}

// Lookup returns the value of an option; ok is false when the release does not have it.
func (c *Config) Lookup(name string) (value string, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	value, ok = c.values[name]
	return value, ok
}

// Flag returns the value of a yes/no option.
func (c *Config) Flag(name string) bool { return c.Text(name) == "yes" }

// Number returns the value of a numeric option.
func (c *Config) Number(name string) int {
	n, _ := strconv.Atoi(c.Text(name))
	return n
}

// Binds returns the addresses to listen on.
func (c *Config) Binds() []string {
	if binds := strings.Fields(c.Text("bind")); len(binds) > 0 {
		return binds
	}
	return []string{"127.0.0.1"}
}

// Master returns the address in the slaveof option; an empty host means that the node is a master.
func (c *Config) Master() (host string, port int) {
	host, port, _ = c.master()
	return host, port
}

func (c *Config) master() (string, int, error) {
	args := strings.Fields(c.Text("slaveof"))
	switch {
	case len(args) == 0:
		return "", 0, nil
	case len(args) != 2:
		return "", 0, errors.New("wrong number of arguments")
	case args[0] == "no" || args[1] == "one":
		return "", 0, nil
	}
	port, err := strconv.Atoi(args[1])
	if err != nil || port < 1 || port > 65534 {
		return "", 0, errors.New("should be between 0 and 65535")
	}
	return args[0], port, nil
}

// SetMaster keeps what a SLAVEOF command chose, for the next CONFIG REWRITE. An empty host means no one.
func (c *Config) SetMaster(host string, port int) {
	value := "no one"
	if host != "" {
		value = host + " " + strconv.Itoa(port)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values["slaveof"] = value
}

// Get returns the name and value of the named option, or of all with "*", ordered by name.
func (c *Config) Get(name string) [][2]string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var found [][2]string
	for _, key := range slices.Sorted(maps.Keys(c.values)) {
		if c.options[key].kind != "list" && (name == "*" || strings.EqualFold(name, key)) {
			found = append(found, [2]string{key, c.values[key]})
		}
	}
	return found
}

// Set changes an option of a running server. Its errors are what a client reads.
func (c *Config) Set(key, value string) error {
	key = strings.ToLower(key)
	o, known := c.options[key]
	if !known || o.restart {
		return refusal("Unsupported CONFIG parameter: " + key)
	}
	value, err := o.check(value)
	if err != nil {
		return fmt.Errorf("failed to set new value: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[key] = value
	return nil
}

// Rewrite writes the current values into the file, keeping its comments and order, through a temporary file next to
// it. Options at their default that the file does not name are left out.
func (c *Config) Rewrite() error {
	if c.path == "" {
		return errors.New("the server is running without a config file")
	}
	c.mu.RLock()
	rest := maps.Clone(c.values)
	c.mu.RUnlock()
	maps.DeleteFunc(rest, func(key, _ string) bool { return c.options[key].kind == "list" })

	var out strings.Builder
	data, _ := os.ReadFile(c.path) // a missing file is written again
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		key, _, err := parseLine(line)
		key = strings.ToLower(key)
		value, known := rest[key]
		switch {
		case err != nil || key == "" || (!known && c.options[key].kind == ""):
			out.WriteString(line + "\n")
		case known:
			if value != "" {
				out.WriteString(formatLine(key, value) + "\n")
			}
			delete(rest, key)
		default: // named twice, or a list
			out.WriteString(line + "\n")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(rest)) {
		if rest[key] != "" && rest[key] != c.options[key].initial {
			out.WriteString(formatLine(key, rest[key]) + "\n")
		}
	}
	tmp := c.path + ".tmp"
	if err := os.WriteFile(tmp, []byte(out.String()), 0o644); err != nil {
		return fmt.Errorf("rename file encounter error: %w", err)
	}
	if err := os.Rename(tmp, c.path); err != nil {
		return fmt.Errorf("rename file encounter error: %w", err)
	}
	return nil
}
