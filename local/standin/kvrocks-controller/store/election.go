package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// sessionTTL, in seconds, is how long a leader that is gone stays the leader.
const sessionTTL = 6

var errSessionLost = errors.New("the session with etcd is lost")

// Election is one process's part in choosing the leader. Its id ends in the address at which the process answers.
type Election struct {
	etcd     *clientv3.Client
	path, id string
	log      *slog.Logger
	changes  chan struct{}

	mu     sync.Mutex
	leader string
}

// NewElection takes part as id below the key path, once it runs.
func NewElection(etcd *clientv3.Client, path, id string, log *slog.Logger) *Election {
	return &Election{etcd: etcd, path: path, id: id, log: log, changes: make(chan struct{}, 1)}
}

// Changes yields a value after the leader changed, and for the first one.
func (e *Election) Changes() <-chan struct{} { return e.changes }

// Leads says whether this process is the leader.
func (e *Election) Leads() bool { return e.Leader() == e.id }

// Leader is the id of the leader as last seen, or empty before the first one.
func (e *Election) Leader() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.leader
}

// Addr is the leader's address.
func (e *Election) Addr() string {
	_, addr, _ := strings.Cut(e.Leader(), "/")
	return addr
}

// Run takes part until the context ends. The real program does not resign when it ends, and so this one does not.
func (e *Election) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := e.term(ctx); err != nil && ctx.Err() == nil {
			e.log.Warn("the election starts again", "error", err)
			pause(ctx)
		}
	}
}

// term lasts as long as one session with etcd.
func (e *Election) term(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	session, err := concurrency.NewSession(e.etcd, concurrency.WithTTL(sessionTTL), concurrency.WithContext(ctx))
	if err != nil {
		return err
	}
	election := concurrency.NewElection(session, e.path)
	go func() {
		for ctx.Err() == nil && election.Campaign(ctx, e.id) != nil {
			pause(ctx)
		}
	}()
	observed := election.Observe(ctx)
	for {
		select {
		case answer, open := <-observed:
			switch {
			case open && len(answer.Kvs) > 0:
				e.see(string(answer.Kvs[0].Value))
			case ctx.Err() != nil:
				return ctx.Err()
			default:
				pause(ctx)
				observed = election.Observe(ctx)
			}
		case <-session.Done():
			return errSessionLost
		}
	}
}

func (e *Election) see(leader string) {
	e.mu.Lock()
	changed := e.leader != leader
	e.leader = leader
	e.mu.Unlock()
	if changed {
		select {
		case e.changes <- struct{}{}:
		default: // One is waiting to be read already, and the reader looks at the newest.
		}
	}
}

// pause keeps a broken etcd from being asked without end.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
	}
}
