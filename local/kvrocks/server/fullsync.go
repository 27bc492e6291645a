package server

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"
)

// fullSync replaces this node's data by the master's. Replicas of this node are cut off, and clients read LOADING while
// the data is replaced: for the whole transfer with slave-empty-db-before-fullsync, else only at its end.
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
	if _, err := conn.Write([]byte("*1\r\n$11\r\n_fetch_meta\r\n")); err != nil {
		return fmt.Errorf("ask for the data: %w", err)
	}
	snapshot, err := readBulk(in)
	if err != nil {
		return fmt.Errorf("fetch the data: %w", err)
	}
	l.lastIO.Store(time.Now().Unix())
	// The real program waits this long after each file; here everything is one file.
	l.sleep(time.Duration(s.cfg.Number("fullsync-recv-file-delay")) * time.Second)
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
