package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/redcon"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/cluster"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/config"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

// Server is one node.
type Server struct {
	cfg      *config.Config
	log      *slog.Logger
	store    *store.Store
	commands map[string]*command
	started  time.Time

	guard   sync.RWMutex // see the package comment
	loading atomic.Bool  // the data is being replaced by a full sync
	emptied atomic.Bool  // the database was emptied and closed for a full sync that failed
	replID  atomic.Value // string: replication history of local writes, empty before the node was a master

	clients  clients
	pubsub   pubsub
	watches  watches
	upstream upstream
	pause    pause
	feeds    feeds
	stats    stats
	cursors  cursors
	sizes    sizes
	tokens   tokens

	topology  *cluster.Topology
	migration migration
	imports   imports
}

// New opens the data of a node.
func New(cfg *config.Config, log *slog.Logger) (*Server, error) {
	var slot store.SlotOf
	if cfg.Flag("cluster-enabled") {
		slot = cluster.KeySlot
	}
	data, err := store.Open(filepath.Join(cfg.Text("dir"), "db"), slot)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Server{cfg: cfg, log: log, store: data, started: time.Now(), topology: cluster.New()}
	s.migration.slots, s.migration.forbidden, s.migration.failed = cluster.NoRange, cluster.NoRange, cluster.NoRange
	s.imports.slots = cluster.NoRange
	s.replID.Store("")
	s.commands = s.commandTable()
	return s, nil
}

// Run listens and serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	var listeners []net.Listener
	for _, bind := range s.cfg.Binds() {
		addr := net.JoinHostPort(bind, s.cfg.Text("port"))
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			return fmt.Errorf("could not create server TCP: %w", err)
		}
		defer func() { _ = ln.Close() }()
		listeners = append(listeners, ln)
	}
	if err := s.start(); err != nil {
		return err
	}
	failed := make(chan error, len(listeners))
	for _, ln := range listeners {
		go func() { failed <- redcon.NewServer(ln.Addr().String(), s.serve, s.accept, s.closed).Serve(ln) }()
	}
	s.log.Info("Ready to accept connections", "bind", s.cfg.Binds(), "port", s.cfg.Text("port"), "pid", os.Getpid(),
		"sequence", s.store.Sequence())
	select {
	case <-ctx.Done():
		s.log.Info("Bye Bye")
		return s.store.Close()
	case err := <-failed:
		return errors.Join(err, s.store.Close())
	}
}

// start takes the role that the configuration names.
func (s *Server) start() error {
	if err := s.checkTokens(); err != nil {
		return err
	}
	if host, port := s.cfg.Master(); host != "" {
		s.follow(host, port, false)
	} else if err := s.shiftReplID(); err != nil {
		return err
	}
	if !s.cfg.Flag("cluster-enabled") {
		return nil
	}
	if err := s.loadTopology(); err != nil {
		return err
	}
	// As in the real program: a node that boots as a replica fails its first migration.
	s.migration.stop.Store(s.isSlave())
	return nil
}

func (s *Server) accept(conn redcon.Conn) bool {
	c := s.clients.add(conn, s.cfg.Number("maxclients"))
	if c == nil {
		conn.WriteError("ERR max number of clients reached")
		return false
	}
	conn.SetContext(c)
	return true
}

func (s *Server) closed(conn redcon.Conn, _ error) {
	c := conn.Context().(*client)
	s.clients.remove(c)
	s.pubsub.dropClient(c)
	s.watches.forget(c)
	if c.importing.Load() {
		s.importLost()
	}
}

func (s *Server) serve(conn redcon.Conn, cmd redcon.Command) {
	c := conn.Context().(*client)
	if c.closing.Load() {
		return
	}
	args := make([]string, len(cmd.Args))
	for i, arg := range cmd.Args {
		args[i] = string(arg)
	}
	c.mu.Lock()
	c.lastActive = time.Now()
	c.mu.Unlock()
	s.execute(c, args)
	if after := c.after; after != nil {
		c.after = nil
		after()
	}
	if c.closing.Load() {
		_ = c.Close() // flushes the reply first; the connection is given up either way
	}
}

// isSlave says whether the node has a master, be it itself.
func (s *Server) isSlave() bool { return s.upstream.current() != nil }

// update changes the data on behalf of a client.
func (s *Server) update(decide func(store.Reader) ([]store.Op, uint64)) error {
	if err := s.store.Update(s.replID.Load().(string), decide); err != nil {
		return refuse(err.Error())
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
