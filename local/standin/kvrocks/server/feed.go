package server

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/redcon"
)

// heartbeat is how long a feed is idle before it sends a ping, 1000 polls of 2 ms in the real program. Nothing else
// tells a master that a replica has gone, and the first ping to a closed connection still succeeds.
const heartbeat = 2100 * time.Millisecond

// feed sends the log to one replica.
type feed struct {
	client  *client
	next    atomic.Uint64 // sequence of the batch to send next
	stopped chan struct{}
	once    sync.Once
	done    chan struct{}
}

// sent returns the sequence of the last record sent.
func (f *feed) sent() uint64 { return max(f.next.Load(), 1) - 1 }

func (f *feed) stop() {
	f.once.Do(func() {
		close(f.stopped)
		_ = f.client.NetConn().Close()
	})
}

// feeds keeps the running ones in the order they began.
type feeds struct {
	mu  sync.Mutex
	all []*feed
}

func (fs *feeds) list() []*feed {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return slices.Clone(fs.all)
}

func (fs *feeds) add(f *feed) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.all = append(fs.all, f)
}

func (fs *feeds) remove(f *feed) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.all = slices.DeleteFunc(fs.all, func(other *feed) bool { return other == f })
}

// stopAll ends every feed and waits for that.
func (fs *feeds) stopAll() {
	for _, f := range fs.list() {
		f.stop()
		<-f.done
	}
}

func cmdReplConf(c *client, args []string) error {
	if len(args)%2 == 0 {
		return errArguments
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(args); i += 2 {
		switch strings.ToLower(args[i]) {
		case "listening-port":
			port, err := strconv.Atoi(args[i+1])
			if err != nil || port < 1 || port > 65534 {
				return refuse("listening-port should be number or out of range")
			}
			c.listeningPort = port
		case "ip-address":
			if args[i+1] == "" {
				return refuse("ip-address should not be empty")
			}
			c.announceIP = args[i+1]
		default:
			return refuse("unknown option")
		}
	}
	c.WriteString("OK")
	return nil
}

// cmdPSync answers PSYNC [replication id] next-sequence. Without an id, or with use-rsid-psync no, only the numbers are
// compared: a replica with another history but a fitting number is accepted and keeps its own data.
func (s *Server) cmdPSync(c *client, args []string) error {
	next, err := strconv.ParseUint(args[len(args)-1], 10, 64)
	if err != nil {
		return refuse("value is not an unsigned long long or out of range")
	}
	if len(args) == 3 && len(args[1]) != replIDLength {
		return refuse("Wrong replication id length")
	}
	s.log.Info("Slave asks for synchronization", "addr", c.RemoteAddr(), "next", next, "args", args[1:],
		"sequence", s.store.Sequence())
	if len(args) == 3 && s.cfg.Flag("use-rsid-psync") {
		// A log that does not reach back to this sequence cannot tell: the real program accepts then.
		if id := s.store.ReplIDAt(next - 1); len(id) == replIDLength && id != args[1] {
			s.stats.count(&s.stats.psyncError)
			return refuse("wrong replication id of the last log")
		}
	}
	if _, _, err := s.store.BatchAt(next); err != nil {
		s.stats.count(&s.stats.psyncError)
		return refuse("sequence out of range, please use fullsync")
	}
	s.stats.count(&s.stats.psyncOK)
	f := &feed{client: c, stopped: make(chan struct{}), done: make(chan struct{})}
	f.next.Store(next)
	conn := c.Detach()
	s.feeds.add(f)
	go s.feed(f, conn)
	return nil
}

// feed runs until the replica's connection fails or the feed is stopped.
func (s *Server) feed(f *feed, conn redcon.DetachedConn) {
	defer close(f.done)
	defer s.feeds.remove(f)
	defer func() { _ = conn.Close() }()
	conn.WriteString("OK")
	idle := time.NewTimer(heartbeat)
	defer idle.Stop()
	for {
		if err := conn.Flush(); err != nil {
			s.log.Warn("Write error while feeding slave", "addr", conn.RemoteAddr(), "err", err)
			return
		}
		batch, grown, err := s.store.BatchAt(f.next.Load())
		switch {
		case err != nil:
			s.log.Error("Fatal error encountered, some seq might be lost", "next", f.next.Load(), "err", err)
			return
		case batch != nil:
			conn.WriteBulk(batch.Encode())
			f.next.Store(batch.Last() + 1)
			continue
		}
		select {
		case <-grown:
		case <-idle.C:
			conn.WriteBulkString("ping")
			idle.Reset(heartbeat)
		case <-f.stopped:
			return
		}
	}
}

// cmdFetch answers a replica that needs a full sync with everything.
func (s *Server) cmdFetch(c *client, _ []string) error {
	s.stats.count(&s.stats.fullSyncs)
	c.WriteBulk(s.store.Snapshot())
	return nil
}
