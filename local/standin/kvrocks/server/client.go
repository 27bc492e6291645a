package server

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/redcon"
)

// client is one connection. Fields without a lock are only used by the goroutine that serves the connection.
type client struct {
	redcon.Conn
	id      uint64
	created time.Time
	closing atomic.Bool // no further command is run; set by QUIT and CLIENT KILL
	admin   bool        // has authenticated, or needed not to
	// namespace that its token opened; empty for the default one
	namespace string

	inMulti, inExec, multiFailed bool
	queue                        [][]string
	watched                      []string
	dirty                        atomic.Bool // a watched key was changed

	asking, readOnly bool
	importing        atomic.Bool // brings the keys of a migrating slot
	after            func()      // what is left to do when the guard is released

	mu                 sync.Mutex
	name, lastCommand  string
	lastActive         time.Time
	listeningPort      int // from REPLCONF
	announceIP         string
	channels, patterns []string
	pushes             chan []byte // messages of subscribed channels
}

// kinds of clients as CLIENT KILL TYPE names them.
const (
	kindNormal = "normal"
	kindPubSub = "pubsub"
	kindSlave  = "slave"
	kindMaster = "master"
)

func (c *client) kind() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.channels)+len(c.patterns) > 0 {
		return kindPubSub
	}
	return kindNormal
}

// ip returns the address a replica announced, or else its source address.
func (c *client) ip() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.announceIP != "" {
		return c.announceIP
	}
	host, _, _ := net.SplitHostPort(c.RemoteAddr())
	return host
}

func (c *client) port() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listeningPort != 0 {
		return c.listeningPort
	}
	_, port, _ := net.SplitHostPort(c.RemoteAddr())
	n, _ := strconv.Atoi(port)
	return n
}

// describe returns the client's line in CLIENT LIST.
func (c *client) describe(slave bool) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var flags strings.Builder
	if slave {
		flags.WriteByte('S')
	}
	if c.closing.Load() {
		flags.WriteByte('c')
	}
	if len(c.channels)+len(c.patterns) > 0 {
		flags.WriteByte('P')
	}
	return fmt.Sprintf("id=%d addr=%s fd=%d name=%s age=%d idle=%d flags=%s namespace=%s qbuf=0 obuf=0 cmd=%s\n",
		c.id, c.RemoteAddr(), c.id, c.name, int(time.Since(c.created).Seconds()),
		int(time.Since(c.lastActive).Seconds()), cmp.Or(flags.String(), "N"), cmp.Or(c.namespace, defaultNamespace), c.lastCommand)
}

// end lets the serving goroutine finish what it runs and then close the connection.
func (c *client) end() {
	c.closing.Store(true)
	if tcp, ok := c.NetConn().(*net.TCPConn); ok {
		_ = tcp.CloseRead() // the connection may be gone already
	}
}

// clients keeps the open connections.
type clients struct {
	mu    sync.Mutex
	next  uint64
	total uint64
	open  map[uint64]*client
}

// add registers a connection unless there are limit already.
func (cs *clients) add(conn redcon.Conn, limit int) *client {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if len(cs.open) >= limit {
		return nil
	}
	cs.next++
	cs.total++
	now := time.Now()
	c := &client{Conn: conn, id: cs.next, created: now, lastActive: now}
	if cs.open == nil {
		cs.open = map[uint64]*client{}
	}
	cs.open[c.id] = c
	return c
}

func (cs *clients) remove(c *client) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.open, c.id)
}

func (cs *clients) count() (open int, total uint64) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.open), cs.total
}

// list returns the open connections, oldest first.
func (cs *clients) list() []*client {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	list := make([]*client, 0, len(cs.open))
	for _, c := range cs.open {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *client) int { return cmp.Compare(a.id, b.id) })
	return list
}
