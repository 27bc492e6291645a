package kvrocks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// The reasons of a failed command that a caller can branch on with [errors.Is].
var (
	// ErrUnreachable: the server gave no answer. It is the parent of ErrRefused and ErrTimeout.
	ErrUnreachable = errors.New("unreachable")
	// ErrRefused: nothing listens on the port, so the process is not running.
	ErrRefused = fmt.Errorf("%w: connection refused", ErrUnreachable)
	// ErrTimeout: no answer within Options.Timeout, so the process hangs or the host is gone.
	ErrTimeout = fmt.Errorf("%w: timeout", ErrUnreachable)

	// ErrLoading: the node is loading its data and serves nothing yet.
	ErrLoading = errors.New("loading its data")
	// ErrNoAuth: the server wants a password and Options has none.
	ErrNoAuth = errors.New("a password is required")
	// ErrWrongPassword: the server's password is another one.
	ErrWrongPassword = errors.New("wrong password")
	// ErrNoPasswordSet: Options has a password and the server has none, so it is open to
	// everyone. redis-server accepts any password then and never reports this.
	ErrNoPasswordSet = errors.New("the server has no password")
	// ErrReadOnly: a write was sent to a replica.
	ErrReadOnly = errors.New("read-only replica")
	// ErrNoSpace: the volume of the node is full.
	ErrNoSpace = errors.New("no space left on the volume")
	// ErrMaxSize: the database has reached max-db-size.
	ErrMaxSize = errors.New("the database has reached max-db-size")
	// ErrClusterDown: the node's cluster topology was never set.
	ErrClusterDown = errors.New("the cluster is not initialized")
	// ErrOldLayout: the node has a newer layout than the one it was given.
	ErrOldLayout = errors.New("the node has a newer layout")
	// ErrMigrating: the node moves slots already.
	ErrMigrating = errors.New("a move of slots is under way")
	// ErrMigrated: the slots have been moved, and the node waits for the layout that says so.
	ErrMigrated = errors.New("the slots have been moved already")
	// ErrNotOwner: by the node's layout the slots are not its own, or it is no master.
	ErrNotOwner = errors.New("the slots are not the node's own")
	// ErrUnknownNode: the node's layout does not have the destination, or not as a master.
	ErrUnknownNode = errors.New("the destination is no master of the layout")
	// ErrTryAgain: the slot of the key is on the move; a moment later it works.
	ErrTryAgain = errors.New("try again")
	// ErrFeedBlocked: DropReplicas closed nothing, because a replica lacks writes.
	ErrFeedBlocked = errors.New("the node still feeds a replica that lacks writes, or a process that is gone without a word")
	// ErrOwnReplicas: ReplicaOf named a node that is still listed as replica of this one;
	// after a role swap that lasts about three seconds.
	ErrOwnReplicas = errors.New("the new master is still a replica of this node")
	// ErrSelf: ReplicaOf named the node itself.
	ErrSelf = errors.New("the new master is this node")
	// ErrUnresolvable: the host of ReplicaOf or Monitor is no address and does not resolve.
	ErrUnresolvable = errors.New("host does not resolve")
	// ErrNotAllowed: the setting is unknown or cannot change while the server runs.
	ErrNotAllowed = errors.New("the setting cannot be changed at run time")

	// ErrDuplicateMaster: Monitor named a master that the sentinel already monitors.
	ErrDuplicateMaster = errors.New("the master is already monitored")
	// ErrNoSuchMaster: the sentinel does not monitor a master of this name.
	ErrNoSuchMaster = errors.New("the master is not monitored")
	// ErrNoQuorum: too few sentinels are reachable to authorize a failover.
	ErrNoQuorum = errors.New("no quorum")
	// ErrFailoverInProgress: Failover was asked while one is running.
	ErrFailoverInProgress = errors.New("a failover is in progress")
	// ErrNoGoodReplica: Failover was asked and no replica qualifies.
	ErrNoGoodReplica = errors.New("no replica qualifies for promotion")
)

// refusals translates what kvrocks 2.10, redis-server and redis-sentinel 6.2 and 7.0
// answer. A substring decides, because releases differ in what stands around it (an
// older kvrocks puts "ERR " in front of CLUSTERDOWN, a full stop comes and goes).
var refusals = [...]struct {
	text string
	kind error
}{
	{"LOADING ", ErrLoading},
	{"NOAUTH ", ErrNoAuth},
	{"WRONGPASS ", ErrWrongPassword},
	{"ERR Invalid password", ErrWrongPassword},
	{"ERR invalid password", ErrWrongPassword},
	{"but no password is set", ErrNoPasswordSet},
	{"called without any password configured", ErrNoPasswordSet},
	{"READONLY ", ErrReadOnly},
	{"No space left on device", ErrNoSpace},
	{"Disk quota exceeded", ErrNoSpace},
	{"reached max-db-size", ErrMaxSize},
	{"CLUSTERDOWN ", ErrClusterDown},
	{"Invalid cluster version", ErrOldLayout},
	{"There is already a migrating job", ErrMigrating},
	{"which has been migrated", ErrMigrated},
	{"which doesn't belong to me", ErrNotOwner},
	{"Slave can't migrate slot", ErrNotOwner},
	{"Can't find the destination node id", ErrUnknownNode},
	{"Can't migrate slot to a slave", ErrUnknownNode},
	{"TRYAGAIN ", ErrTryAgain},
	{"can't replicate your own replicas", ErrOwnReplicas},
	{"can't replicate itself", ErrSelf},
	{"Can not resolve hostname", ErrUnresolvable},
	{"Invalid IP address or hostname", ErrUnresolvable},
	{"Unsupported CONFIG parameter", ErrNotAllowed},
	{"Unknown option or number of arguments for CONFIG SET", ErrNotAllowed},
	{"can't set immutable config", ErrNotAllowed},
	{"Duplicate master name", ErrDuplicateMaster},
	{"Duplicated master name", ErrDuplicateMaster},
	{"No such master with that name", ErrNoSuchMaster},
	{"NOQUORUM ", ErrNoQuorum},
	{"INPROG ", ErrFailoverInProgress},
	{"NOGOODSLAVE ", ErrNoGoodReplica},
}

// Error is a command that failed.
type Error struct {
	// Op is the command without its arguments, "CONFIG SET maxclients" at most.
	Op string
	// Addr is the server, host:port.
	Addr string
	// Kind is one of the Err values of this package, or nil for a refusal that no caller
	// needs to tell from others.
	Kind error
	// Text is the server's reply, with secrets masked, or the network's error.
	Text string

	// cause is the error of the network or of the context; never a server's reply, whose
	// text may quote a secret.
	cause error
}

func (e *Error) Error() string { return fmt.Sprintf("%s %s: %s", e.Op, e.Addr, e.Text) }

// Unwrap gives errors.Is both the kind and the cause.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.cause != nil {
		errs = append(errs, e.cause)
	}
	return errs
}

// refusalKind finds the meaning of a server's error reply, nil when it has none for us.
func refusalKind(reply string) error {
	for _, r := range refusals {
		if strings.Contains(reply, r.text) {
			return r.kind
		}
	}
	return nil
}

// newError classifies err, the outcome of op. ctx is the caller's context: when it has
// ended, the failure is the caller's and not the server's. mask hides secrets in what a
// server replied.
func newError(ctx context.Context, op, addr string, err error, mask func(string) string) *Error {
	if reply, ok := errors.AsType[redis.Error](err); ok {
		return &Error{Op: op, Addr: addr, Kind: refusalKind(reply.Error()), Text: mask(reply.Error())}
	}
	e := &Error{Op: op, Addr: addr, Text: err.Error(), cause: err}
	if ended := contextEnded(ctx); ended != nil {
		e.Text, e.cause = ended.Error(), ended
		return e
	}
	e.Kind = networkKind(err)
	return e
}

// networkKind tells the ways of not being answered apart; nil means that an answer came
// and made no sense.
func networkKind(err error) error {
	var netErr net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return ErrRefused
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, redis.ErrPoolTimeout), errors.As(err, &netErr) && netErr.Timeout():
		return ErrTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.As(err, &netErr): // the pipe is the one of watchedConn
		return ErrUnreachable
	}
	return nil
}
