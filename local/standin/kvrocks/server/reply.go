package server

import "strings"

// refusal is an error that a client reads; its text begins with the error code.
type refusal string

// Error returns the reply line without the leading minus.
func (r refusal) Error() string { return string(r) }

// refuse returns a refusal with the general code.
func refuse(text string) error { return refusal("ERR " + text) }

const (
	errArguments   = refusal("ERR wrong number of arguments")
	errSyntax      = refusal("ERR syntax error")
	errNotInteger  = refusal("ERR value is not an integer or out of range")
	errWrongType   = refusal("ERR Invalid argument: WRONGTYPE Operation against a key holding the wrong kind of value")
	errReadOnly    = refusal("READONLY You can't write against a read only slave.")
	errNoAuth      = refusal("NOAUTH Authentication required.")
	errLoading     = refusal("LOADING kvrocks is restoring the db from backup")
	errMasterDown  = refusal("MASTERDOWN Link with MASTER is down and slave-serve-stale-data is set to 'no'.")
	errClientUsage = refusal("ERR Syntax error, try CLIENT LIST|INFO|KILL ip:port|GETNAME|SETNAME")
)

// errorLine is what goes on the wire for an error.
func errorLine(err error) string {
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(err.Error())
}
