package server

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

// Namespaces as src/server/namespace.cc of kvrocks 2.10.1 has them. With repl-namespace-enabled the tokens stand in the database,
// under a key that no client sees; without, in memory (the real program also writes them into its configuration file).
const (
	// mark begins the keys of namespaces, "<mark><namespace><mark><key>", and the one of the tokens.
	mark     = "\x00"
	tokenKey = mark
	// behindMarks is before every key of the default namespace and after all others.
	behindMarks = mark + "\xff"

	optionNamespaces = "repl-namespace-enabled"
	defaultNamespace = "__namespace"
)

// tokens are those in memory.
type tokens struct {
	mu      sync.Mutex
	byToken map[string]string
}

const (
	errAdminOnly  = refusal("ERR admin permission required to perform the command")
	errTokensInDB = refusal("cannot switch off repl_namespace_enabled when namespaces exist in db")
)

func prefixOf(namespace string) string {
	if namespace == "" {
		return ""
	}
	return mark + namespace + mark
}

// tokensNow are the namespaces by token.
func (s *Server) tokensNow() map[string]string {
	if s.cfg.Flag(optionNamespaces) {
		return s.savedTokens()
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	return maps.Clone(s.tokens.byToken)
}

func (s *Server) savedTokens() map[string]string {
	saved := map[string]string{}
	if s.cfg.Flag("cluster-enabled") {
		return saved
	}
	s.store.View(func(r store.Reader) {
		if v := r.Get(tokenKey); v != nil {
			_ = json.Unmarshal([]byte(v.Str), &saved) // it was marshalled here
		}
	})
	return saved
}

// checkTokens refuses what the real program does not start with.
func (s *Server) checkTokens() error {
	if !s.cfg.Flag(optionNamespaces) && len(s.savedTokens()) > 0 {
		return errTokensInDB
	}
	return nil
}

// switchTokens follows a change of the option: the tokens in memory are dropped for those in the database.
func (s *Server) switchTokens() error {
	if err := s.checkTokens(); err != nil {
		_ = s.cfg.Set(optionNamespaces, "yes")
		return err
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	s.tokens.byToken = nil
	return nil
}

func tokensOp(byToken map[string]string) store.Op {
	text, _ := json.Marshal(byToken) // a map of strings
	return store.Op{store.OpSet, tokenKey, string(text), "0"}
}

func (s *Server) keepTokens(byToken map[string]string) error {
	if s.cfg.Flag(optionNamespaces) {
		return s.update(func(store.Reader) ([]store.Op, uint64) { return []store.Op{tokensOp(byToken)}, 1 })
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	s.tokens.byToken = byToken
	return nil
}

func (s *Server) cmdNamespace(c *client, args []string) error {
	sub := strings.ToLower(args[1])
	if s.cfg.Flag(optionNamespaces) && s.isSlave() && sub != "get" {
		return refuse("namespace is read-only for slave")
	}
	known := s.tokensNow()
	switch {
	case sub == "get" && len(args) == 3 && args[2] == "*":
		var list []string
		for _, token := range slices.Sorted(maps.Keys(known)) {
			list = append(list, known[token], token)
		}
		writeStrings(c, append(list, defaultNamespace, s.cfg.Text("requirepass")))
		return nil
	case sub == "get" && len(args) == 3:
		for token, namespace := range known {
			if namespace == args[2] {
				c.WriteBulkString(token)
				return nil
			}
		}
		c.WriteNull()
		return nil
	case sub == "add" && len(args) == 4:
		return s.addNamespace(c, known, args[2], args[3])
	case sub == "del" && len(args) == 3:
		for token, namespace := range known {
			if namespace == args[2] {
				delete(known, token)
				if err := s.keepTokens(known); err != nil {
					return err
				}
				return replyOK(c, args)
			}
		}
		return refuse("the namespace was not found")
	}
	return refuse("NAMESPACE subcommand must be one of GET, SET, DEL, ADD")
}

func (s *Server) addNamespace(c *client, known map[string]string, namespace, token string) error {
	for other, of := range known {
		if of == namespace && other == token {
			return replyOK(c, nil)
		}
		if of == namespace {
			return refuse("the namespace already exists")
		}
	}
	switch _, taken := known[token]; {
	case taken:
		return refuse("the token already exists")
	case s.cfg.Text("requirepass") == "":
		return refuse("forbidden to add namespace when requirepass was empty")
	case s.cfg.Flag("cluster-enabled"):
		return refuse("forbidden to add namespace when cluster mode was enabled")
	case namespace == defaultNamespace:
		return refuse("forbidden to add the default namespace")
	case token == s.cfg.Text("requirepass") || token == s.cfg.Text("masterauth"):
		return refuse("the token is duplicated with requirepass or masterauth")
	}
	if known == nil {
		known = map[string]string{}
	}
	known[token] = namespace
	if err := s.keepTokens(known); err != nil {
		return err
	}
	return replyOK(c, nil)
}

// inNamespace are the words of a command with the keys of the client's namespace.
func (c *client) inNamespace(cmd *command, args []string) []string {
	if c.namespace == "" || c.inExec || cmd.keys[0] == 0 {
		return args
	}
	args = slices.Clone(args)
	last := cmd.keys[1]
	if last < 0 {
		last += len(args)
	}
	for i := cmd.keys[0]; i <= last && i < len(args); i += cmd.keys[2] {
		args[i] = prefixOf(c.namespace) + args[i]
	}
	return args
}

// needsAdmin reports whether a command is for the client of the default namespace alone.
func needsAdmin(name string) bool {
	switch name {
	case "namespace", "config", "slaveof", "flushall", "cluster", "clusterx", "shutdown", "debug":
		return true
	}
	return false
}

// firstKey is what keys of the default namespace stand after.
func (s *Server) firstKey() string {
	if s.cfg.Flag("cluster-enabled") {
		return "" // no namespaces, and another order
	}
	return behindMarks
}

// flushNamespace deletes the keys of one namespace.
func (s *Server) flushNamespace(r store.Reader, namespace string) ([]store.Op, uint64) {
	s.tokens.mu.Lock()
	inMemory := len(s.tokens.byToken)
	s.tokens.mu.Unlock()
	if namespace == "" && r.Get(tokenKey) == nil && inMemory == 0 {
		return []store.Op{{store.OpFlush}}, 1
	}
	after := ""
	if namespace == "" {
		after = behindMarks
	}
	var ops []store.Op
	r.Keys(prefixOf(namespace), after, func(key string, _ *store.Value) bool {
		ops = append(ops, store.Op{store.OpDelete, key})
		return true
	})
	return ops, 1
}
