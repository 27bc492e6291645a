package kvrocks

import (
	"context"
	"errors"
	"strings"
)

// SettingNamespaces makes kvrocks keep the tokens of namespaces in its database, which replicas get and restarts leave alone,
// rather than in its configuration file.
const SettingNamespaces = "repl-namespace-enabled"

// KeepNamespaces switches SettingNamespaces on and keeps the tokens that the process has. kvrocks 2.10 drops those from its
// memory in that moment, because the database holds none of them yet; a master is given them again at once, and so puts them
// into the database. A replica takes no tokens: it gets those of its master. A second call changes nothing.
func (n *Node) KeepNamespaces(ctx context.Context) error {
	var tokens []string
	err := n.conn.run(ctx, operation{name: "NAMESPACE GET"}, func(ctx context.Context) (err error) {
		tokens, err = n.conn.client.Do(ctx, "NAMESPACE", "GET", "*").StringSlice() // namespace, token, namespace, token, …
		return err
	})
	if errors.Is(err, ErrUnreachable) || errors.Is(err, ErrLoading) {
		return err
	}
	if err := n.ConfigSet(ctx, SettingNamespaces, "yes"); err != nil {
		return err
	}
	for i := 0; i+1 < len(tokens); i += 2 {
		if tokens[i] == defaultNamespace {
			continue // its token is requirepass
		}
		err := n.conn.do(ctx, operation{name: "NAMESPACE ADD", secret: tokens[i+1]}, "NAMESPACE", "ADD", tokens[i], tokens[i+1])
		if err != nil && !strings.Contains(err.Error(), "read-only") {
			return err
		}
	}
	return nil
}

// defaultNamespace is that of the password.
const defaultNamespace = "__namespace"
