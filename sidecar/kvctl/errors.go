package kvctl

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// The kinds of failure that a caller can branch on with [errors.Is].
var (
	// ErrNotFound: there is no such record (or shard or node in it).
	ErrNotFound = errors.New("not found")
	// ErrExists: there is one already.
	ErrExists = errors.New("already exists")
	// ErrRefused: kvrocks-controller will not do it, for the reason in Text.
	ErrRefused = errors.New("refused")
	// ErrUnavailable: nothing answered, there is no leader, it cannot reach its etcd, or the answer was no answer. Whether a change
	// was made is unknown.
	ErrUnavailable = errors.New("kvrocks-controller is unavailable")
	// ErrLeaderGone, always with ErrUnavailable: a replica sends to a leader at whose address nothing answers.
	ErrLeaderGone = errors.New("the leader is gone")
	// ErrChanged: the record is not what the change presumes, or kvrocks-controller did something else than it was asked
	// for.
	ErrChanged = errors.New("the record is another one")
)

// Error is a request that failed.
type Error struct {
	// Op says what was asked, such as "fail over".
	Op string
	// Kind is one of the Err values of this package.
	Kind error
	// Text is the reason as kvrocks-controller or the network gave it.
	Text string

	cause error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v: %s", e.Op, e.Kind, e.Text) }

// Unwrap gives errors.Is both the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// Texts that decide beyond the status. A 500 is both "no replica in shard" and "my etcd is away".
const (
	noLeader    = "no leader now"
	noNamespace = "namespace not found"
	notFound    = "not found"
	isServing   = "shard is servicing"
	noCandidate = "no match new master in shard"
)

// signsOfNoStore are in the messages of an etcd client that cannot reach its server.
var signsOfNoStore = [...]string{"etcdserver", "context deadline exceeded", "context canceled", "rpc error"}

// refusal says what an answer with an error means.
func refusal(status int, text string) error {
	switch {
	case strings.Contains(text, noLeader):
		return ErrUnavailable
	case status == http.StatusNotFound && strings.Contains(text, notFound), strings.Contains(text, noNamespace):
		return ErrNotFound
	case status == http.StatusConflict:
		return ErrExists
	case status >= http.StatusInternalServerError:
		for _, sign := range signsOfNoStore {
			if strings.Contains(text, sign) {
				return ErrUnavailable
			}
		}
	case status < http.StatusBadRequest, status == http.StatusNotFound:
		return ErrUnavailable
	}
	return ErrRefused
}
