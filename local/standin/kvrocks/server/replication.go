package server

import (
	"crypto/rand"
	"math/big"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

// replIDLength is the length of a replication id, which names one history of writes.
const replIDLength = 16

func (s *Server) replicationCommands() []command {
	return []command{
		{"slaveof", 3, exclusive, [3]int{}, s.cmdSlaveOf},
		{"role", 1, okLoading, [3]int{}, s.cmdRole},
		{"replconf", -3, 0, [3]int{}, cmdReplConf},
		{"psync", -2, noMulti, [3]int{}, s.cmdPSync},
		{"_fetch_meta", 1, noMulti, [3]int{}, s.cmdFetch},
		{"_db_name", 1, noMulti, [3]int{}, s.cmdDBName},
	}
}

// upstream is the link to the node's master.
type upstream struct {
	mu   sync.RWMutex
	link *link
}

// current returns the link of a replica, nil on a master.
func (u *upstream) current() *link {
	u.mu.RLock()
	defer u.mu.RUnlock()
	return u.link
}

func (u *upstream) set(l *link) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.link = l
}

// follow makes the node a replica. With force it reconnects even to the master it has.
func (s *Server) follow(host string, port int, force bool) {
	old := s.upstream.current()
	if old != nil {
		if !force && old.host == host && old.port == port {
			return
		}
		old.stop()
	}
	l := newLink(s, host, port)
	s.upstream.set(l)
	s.cfg.SetMaster(host, port)
	go l.run()
}

// lead makes the node a master, with a new replication history if it was none before.
func (s *Server) lead() error {
	old := s.upstream.current()
	if old == nil {
		return nil
	}
	s.cfg.SetMaster("", 0)
	old.stop()
	s.upstream.set(nil)
	return s.shiftReplID()
}

// shiftReplID starts a new replication history and writes its id into the data, which takes one sequence number.
func (s *Server) shiftReplID() error {
	if !s.cfg.Flag("use-rsid-psync") {
		return nil
	}
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	id := make([]byte, replIDLength)
	for i := range id {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			return err
		}
		id[i] = letters[n.Int64()]
	}
	s.replID.Store(string(id))
	s.log.Info("New replication id", "id", string(id))
	return s.update(func(store.Reader) ([]store.Op, uint64) {
		return []store.Op{{store.OpReplID, string(id)}}, 1
	})
}

func (s *Server) cmdSlaveOf(c *client, args []string) error {
	promote := strings.EqualFold(args[1], "no") && strings.EqualFold(args[2], "one")
	port, err := strconv.ParseUint(args[2], 10, 32)
	if !promote && err != nil {
		return refuse("port should be number")
	}
	if s.cfg.Flag("cluster-enabled") {
		return refuse("can't change to slave in cluster mode")
	}
	if promote {
		if err := s.lead(); err != nil {
			return refuse("failed to remove master: " + err.Error())
		}
		s.log.Warn("MASTER MODE enabled", "by", c.RemoteAddr())
		return replyOK(c, args)
	}
	if err := s.checkMaster(args[1], int(port)); err != nil {
		return err
	}
	s.follow(args[1], int(port), false)
	s.log.Warn("SLAVE OF enabled", "host", args[1], "port", port, "by", c.RemoteAddr())
	return replyOK(c, args)
}

// checkMaster refuses this node itself and its own replicas as a master. A replica that has left is still known for
// some seconds, until a heartbeat to it fails, so a swap of roles is refused for that long.
func (s *Server) checkMaster(host string, port int) error {
	addrs, err := net.LookupHost(host)
	if err != nil {
		return refuse("Can not resolve hostname: " + host)
	}
	for _, ip := range addrs {
		if itoa(port) == s.cfg.Text("port") && s.listensOn(ip) {
			return refuse("can't replicate itself")
		}
		for _, f := range s.feeds.list() {
			if f.client.ip() == ip && f.client.port() == port {
				return refuse("can't replicate your own replicas")
			}
		}
	}
	return nil
}

func (s *Server) listensOn(ip string) bool {
	binds := s.cfg.Binds()
	if slices.Contains(binds, ip) {
		return true
	}
	if !slices.Contains(binds, "0.0.0.0") && !slices.Contains(binds, "::") {
		return false
	}
	local, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(local, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.String() == ip
	})
}

// cmdRole answers like the real program and, like it, crashes while a full sync replaces the data.
func (s *Server) cmdRole(c *client, _ []string) error {
	seq := strconv.FormatUint(s.store.Sequence(), 10)
	up := s.upstream.current()
	if up == nil {
		feeds := s.feeds.list()
		c.WriteArray(2 + bit(len(feeds) > 0))
		c.WriteBulkString("master")
		c.WriteBulkString(seq)
		if len(feeds) > 0 {
			c.WriteArray(len(feeds))
		}
		for _, f := range feeds {
			c.WriteArray(3)
			c.WriteBulkString(f.client.ip())
			c.WriteBulkString(itoa(f.client.port()))
			c.WriteBulkString(strconv.FormatUint(f.sent(), 10))
		}
		return nil
	}
	if s.loading.Load() {
		crash(s.log, "ROLE while a full sync replaces the data")
	}
	state := map[linkState]string{linkConnected: "connected", linkFetching: "sync"}[up.state()]
	if state == "" {
		state = "connecting"
	}
	c.WriteArray(5)
	for _, word := range []string{"slave", up.host, itoa(up.port), state, seq} {
		c.WriteBulkString(word)
	}
	return nil
}

func (s *Server) cmdDBName(c *client, _ []string) error {
	c.WriteRaw([]byte(s.cfg.Text("db-name") + "\r\n"))
	return nil
}
