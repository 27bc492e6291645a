package server

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"
)

// fullSync replaces this node's data by the master's. Replicas of this node are cut off, and clients read LOADING while
// the data is replaced: for the whole transfer with slave-empty-db-before-fullsync, else only at its end. When the transfer
// fails the old data is served again; where it was emptied before, the database stays closed, and the process crashes at the
// next access (read in the source of 2.10.1: replication.cc calls post_fullsync_cb_ after CloseDB and EmptyDB).
func (l *link) fullSync() error {
	s := l.server
	in, conn, err := l.connect()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	l.enter(linkFetching)
	if s.cfg.Flag("slave-empty-db-before-fullsync") {
		if err := l.beginLoading(); err != nil {
			return err
		}
		defer s.loading.Store(false)
		if err := s.store.Clear(); err != nil {
			return err
		}
	}
	snapshot, err := l.fetch(in, conn)
	if err != nil {
		s.emptied.Store(s.loading.Load())
		return err
	}
	if !s.loading.Load() {
		if err := l.beginLoading(); err != nil {
			return err
		}
		defer s.loading.Store(false)
	}
	if err := s.store.Restore(snapshot); err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	l.log().Info("Succeeded restoring the backup, fullsync was finish", "sequence", s.store.Sequence())
	return nil
}

// fetch transfers the data. The real program waits for fullsync-recv-file-delay after each file; here everything is one file,
// and the wait comes before it, so that a master that vanishes meanwhile ends the transfer.
func (l *link) fetch(in *bufio.Reader, conn net.Conn) ([]byte, error) {
	l.sleep(time.Duration(l.server.cfg.Number("fullsync-recv-file-delay")) * time.Second)
	if _, err := conn.Write([]byte("*1\r\n$11\r\n_fetch_meta\r\n")); err != nil {
		return nil, fmt.Errorf("ask for the data: %w", err)
	}
	snapshot, err := readBulk(in)
	if err != nil {
		return nil, fmt.Errorf("fetch the data: %w", err)
	}
	l.lastIO.Store(time.Now().Unix())
	return snapshot, nil
}

// useData crashes the process where the real program would use a database that it has closed.
func (s *Server) useData() {
	if s.emptied.Load() {
		crash(s.log, "use of the database after a full sync that emptied it and failed")
	}
}

// beginLoading turns clients away and waits for running commands. It gives up when the link is stopped, because who
// stops it holds the guard.
func (l *link) beginLoading() error {
	s := l.server
	s.feeds.stopAll()
	if s.cfg.Flag("cluster-enabled") {
		s.cancelMigration(l.isStopped)
	}
	s.loading.Store(true)
	for !s.guard.TryLock() {
		if l.isStopped() {
			s.loading.Store(false)
			return net.ErrClosed
		}
		time.Sleep(time.Millisecond)
	}
	s.guard.Unlock()
	return nil
}

// crash ends the process as a failed assertion would.
func crash(log *slog.Logger, where string) {
	log.Error("Ooops! kvrocks stand-in crashed as the real program does", "where", where)
	os.Exit(abortStatus)
}

// abortStatus is what a shell reports for a process ended by SIGABRT.
const abortStatus = 134
