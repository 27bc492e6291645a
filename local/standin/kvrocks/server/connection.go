package server

import (
	"strconv"
	"strings"
	"time"
)

func (s *Server) connectionCommands() []command {
	return []command{
		{"auth", 2, okLoading, [3]int{}, s.cmdAuth},
		{"hello", -1, okLoading, [3]int{}, s.cmdHello},
		{"ping", -1, 0, [3]int{}, cmdPing},
		{"echo", 2, 0, [3]int{}, cmdEcho},
		{"select", 2, 0, [3]int{}, replyOK},
		{"quit", 1, 0, [3]int{}, cmdQuit},
		{"time", 1, okLoading, [3]int{}, cmdTime},
		{"client", -2, 0, [3]int{}, s.cmdClient},
		{"command", -1, 0, [3]int{}, s.cmdCommand},
	}
}

func replyOK(c *client, _ []string) error {
	c.WriteString("OK")
	return nil
}

// authenticate checks a password. One connection's right does not end when the password changes.
func (s *Server) authenticate(c *client, password string) error {
	wanted := s.cfg.Text("requirepass")
	if wanted == "" {
		return refuse("Client sent AUTH, but no password is set")
	}
	if namespace, found := s.tokensNow()[password]; found {
		c.admin, c.namespace = true, namespace
		return nil
	}
	if password == wanted {
		c.admin, c.namespace = true, ""
		return nil
	}
	return refuse("Invalid password")
}

func (s *Server) cmdAuth(c *client, args []string) error {
	if err := s.authenticate(c, args[1]); err != nil {
		return err
	}
	return replyOK(c, args)
}

// cmdHello answers in protocol 2 whatever was asked, as the real program does with resp3-enabled no, its default.
func (s *Server) cmdHello(c *client, args []string) error {
	if len(args) > 1 {
		version, err := strconv.Atoi(args[1])
		if err != nil {
			return refuse("Protocol version is not an integer or out of range")
		}
		if version < 2 || version > 3 {
			return refusal("NOPROTO unsupported protocol version")
		}
	}
	for i := 2; i < len(args); i++ {
		more := len(args) - i - 1
		switch opt := strings.ToLower(args[i]); {
		case opt == "auth" && more > 0:
			if more == 2 || more == 4 {
				if i++; args[i] != "default" {
					return refuse("Invalid password")
				}
			}
			i++
			if err := s.authenticate(c, args[i]); err != nil {
				return err
			}
		case opt == "setname" && more > 0:
			i++
			c.setName(args[i])
		default:
			return refuse("Syntax error in HELLO option " + args[i])
		}
	}
	role := "master"
	if s.isSlave() {
		role = "slave"
	}
	c.WriteArray(12)
	for _, kv := range [][2]string{{"server", "redis"}, {"version", s.redisVersion()}} {
		c.WriteBulkString(kv[0])
		c.WriteBulkString(kv[1])
	}
	c.WriteBulkString("proto")
	c.WriteInt(2)
	for _, kv := range [][2]string{{"mode", s.mode()}, {"role", role}} {
		c.WriteBulkString(kv[0])
		c.WriteBulkString(kv[1])
	}
	c.WriteBulkString("modules")
	c.WriteRaw([]byte("*-1\r\n"))
	return nil
}

func (c *client) setName(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.name = name
}

func cmdPing(c *client, args []string) error {
	switch len(args) {
	case 1:
		c.WriteString("PONG")
	case 2:
		c.WriteBulkString(args[1])
	default:
		return errArguments
	}
	return nil
}

func cmdEcho(c *client, args []string) error {
	c.WriteBulkString(args[1])
	return nil
}

func cmdQuit(c *client, args []string) error {
	c.closing.Store(true)
	return replyOK(c, args)
}

func cmdTime(c *client, _ []string) error {
	now := time.Now()
	c.WriteArray(2)
	c.WriteBulkString(strconv.FormatInt(now.Unix(), 10))
	c.WriteBulkString(strconv.Itoa(now.Nanosecond() / 1000))
	return nil
}

func (s *Server) cmdClient(c *client, args []string) error {
	switch sub := strings.ToLower(args[1]); {
	case sub == "id" && len(args) == 2:
		c.WriteUint64(c.id)
	case sub == "getname" && len(args) == 2:
		c.mu.Lock()
		name := c.name
		c.mu.Unlock()
		if name == "" {
			c.WriteNull()
		} else {
			c.WriteBulkString(name)
		}
	case sub == "setname" && len(args) == 3:
		if strings.IndexFunc(args[2], func(r rune) bool { return r < '!' || r > '~' }) >= 0 {
			return refuse("Client names cannot contain spaces, newlines or special characters")
		}
		c.setName(args[2])
		c.WriteString("OK")
	case sub == "info" && len(args) == 2:
		c.WriteBulkString(c.describe(false))
	case sub == "list" && len(args) == 2:
		var out strings.Builder
		for _, other := range s.clients.list() {
			out.WriteString(other.describe(false))
		}
		for _, f := range s.feeds.list() {
			out.WriteString(f.client.describe(true))
		}
		c.WriteBulkString(out.String())
	case sub == "pause" && (len(args) == 3 || len(args) == 4) && s.cfg.Release.Since(pausesClients):
		return s.cmdClientPause(c, args)
	case sub == "unpause" && len(args) == 2 && s.cfg.Release.Since(pausesClients):
		s.pause.set(0, false)
		return replyOK(c, args)
	case sub == "kill":
		return s.cmdClientKill(c, args)
	default:
		return errClientUsage
	}
	return nil
}

// cmdClientKill differs from Redis in that a caller that matches is killed too, unless it says SKIPME yes.
func (s *Server) cmdClientKill(c *client, args []string) error {
	if len(args) == 2 {
		return errSyntax
	}
	if len(args) == 3 {
		if s.kill(c, killFilter{addr: args[2]}) == 0 {
			return refuse("No such client")
		}
		return replyOK(c, args)
	}
	filter, err := parseKillFilter(args[2:])
	if err != nil {
		return err
	}
	c.WriteInt(s.kill(c, filter))
	return nil
}

// killFilter selects clients that match any of its fields.
type killFilter struct {
	addr   string
	id     uint64
	kinds  map[string]bool
	skipMe bool
}

func parseKillFilter(args []string) (killFilter, error) {
	f := killFilter{kinds: map[string]bool{}}
	if len(args)%2 != 0 {
		return f, errSyntax
	}
	for i := 0; i < len(args); i += 2 {
		value := strings.ToLower(args[i+1])
		switch strings.ToLower(args[i]) {
		case "addr":
			f.addr = args[i+1]
		case "id":
			id, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return f, errNotInteger
			}
			f.id = id
		case "skipme":
			if value != "yes" && value != "no" {
				return f, errSyntax
			}
			f.skipMe = value == "yes"
		case "type":
			switch value {
			case "replica":
				value = kindSlave
			case kindNormal, kindPubSub, kindMaster, kindSlave:
			default:
				return f, errSyntax
			}
			f.kinds[value] = true
		default:
			return f, errSyntax
		}
	}
	return f, nil
}

func (f killFilter) matches(c *client, kind string) bool {
	return f.kinds[kind] || (f.id != 0 && f.id == c.id) ||
		(f.addr != "" && (f.addr == c.RemoteAddr() || f.addr == c.ip()+":"+strconv.Itoa(c.port())))
}

// kill ends the clients and links that the filter selects and returns how many.
func (s *Server) kill(me *client, f killFilter) int {
	killed := 0
	for _, c := range s.clients.list() {
		if (f.skipMe && c == me) || c.closing.Load() || !f.matches(c, c.kind()) {
			continue
		}
		killed++
		if c == me {
			c.closing.Store(true)
			continue
		}
		c.end()
	}
	for _, feed := range s.feeds.list() {
		if f.matches(feed.client, kindSlave) {
			feed.stop()
			killed++
		}
	}
	if up := s.upstream.current(); up != nil && (f.kinds[kindMaster] || (f.addr != "" && f.addr == up.addr())) {
		s.follow(up.host, up.port, true)
		killed++
	}
	return killed
}
