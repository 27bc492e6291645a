package server

import (
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/match"
	"github.com/tidwall/redcon"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

// pubsub knows the subscribers of channels and patterns.
type pubsub struct {
	mu                 sync.Mutex
	channels, patterns map[string][]*client
}

// pushBacklog is how many messages may wait for a slow subscriber before it is cut off.
const pushBacklog = 1024

func (s *Server) pubsubCommands() []command {
	p := &s.pubsub
	return []command{
		{"publish", 3, 0, [3]int{}, s.cmdPublish},
		{"subscribe", -2, noMulti, [3]int{}, func(c *client, args []string) error { return p.subscribe(c, args, false) }},
		{"psubscribe", -2, noMulti, [3]int{}, func(c *client, args []string) error { return p.subscribe(c, args, true) }},
		{"unsubscribe", -1, noMulti, [3]int{}, func(c *client, args []string) error { return p.unsubscribe(c, args, false) }},
		{"punsubscribe", -1, noMulti, [3]int{}, func(c *client, args []string) error { return p.unsubscribe(c, args, true) }},
	}
}

// cmdPublish writes the message to the log of a master, from where it reaches subscribers of the replicas: every
// publish moves the sequence. On a replica the message stays where it is.
func (s *Server) cmdPublish(c *client, args []string) error {
	if !s.isSlave() {
		err := s.update(func(store.Reader) ([]store.Op, uint64) {
			return []store.Op{{store.OpPublish, args[1], args[2]}}, 1
		})
		if err != nil {
			return err
		}
	}
	c.WriteInt(s.pubsub.publish(args[1], args[2]))
	return nil
}

func (p *pubsub) publish(channel, message string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	receivers := 0
	for _, c := range p.channels[channel] {
		receivers += c.push("message", channel, message)
	}
	for pattern, subscribers := range p.patterns {
		if !match.Match(channel, pattern) {
			continue
		}
		for _, c := range subscribers {
			receivers += c.push("pmessage", pattern, channel, message)
		}
	}
	return receivers
}

// push queues a message without waiting and returns 1 if that worked.
func (c *client) push(words ...string) int {
	out := redcon.AppendArray(nil, len(words))
	for _, word := range words {
		out = redcon.AppendBulkString(out, word)
	}
	select {
	case c.pushes <- out:
		return 1
	default:
		_ = c.NetConn().Close() // too slow; its own goroutine notices
		return 0
	}
}

// drainPushes writes queued messages until the channel is closed. net.Conn keeps its writes apart from replies.
func (c *client) drainPushes(pushes <-chan []byte) {
	for out := range pushes {
		if _, err := c.NetConn().Write(out); err != nil {
			_ = c.NetConn().Close()
		}
	}
}

func (p *pubsub) subscribe(c *client, args []string, pattern bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.channels == nil {
		p.channels, p.patterns = map[string][]*client{}, map[string][]*client{}
	}
	if c.pushes == nil {
		c.pushes = make(chan []byte, pushBacklog)
		go c.drainPushes(c.pushes)
	}
	for _, name := range args[1:] {
		mine, subscribers := c.subscriptions(pattern), p.table(pattern)
		c.mu.Lock()
		if !slices.Contains(*mine, name) {
			*mine = append(*mine, name)
			subscribers[name] = append(subscribers[name], c)
		}
		n := len(c.channels) + len(c.patterns)
		c.mu.Unlock()
		writeSubscription(c, strings.ToLower(args[0]), name, n)
	}
	// The confirmation has to be out before the first message.
	return redcon.BaseWriter(c.Conn).Flush()
}

func (p *pubsub) unsubscribe(c *client, args []string, pattern bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	mine := c.subscriptions(pattern)
	names := args[1:]
	if len(names) == 0 {
		names = slices.Clone(*mine)
	}
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		n := p.drop(c, name, pattern)
		writeSubscription(c, strings.ToLower(args[0]), name, n)
	}
	return nil
}

func writeSubscription(c *client, verb, name string, n int) {
	c.WriteArray(3)
	c.WriteBulkString(verb)
	if name == "" {
		c.WriteNull()
	} else {
		c.WriteBulkString(name)
	}
	c.WriteInt(n)
}

func (c *client) subscriptions(pattern bool) *[]string {
	if pattern {
		return &c.patterns
	}
	return &c.channels
}

func (p *pubsub) table(pattern bool) map[string][]*client {
	if pattern {
		return p.patterns
	}
	return p.channels
}

// drop ends one subscription and returns how many the client has left.
func (p *pubsub) drop(c *client, name string, pattern bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	mine, table := c.subscriptions(pattern), p.table(pattern)
	*mine = slices.DeleteFunc(*mine, func(s string) bool { return s == name })
	if rest := slices.DeleteFunc(table[name], func(other *client) bool { return other == c }); len(rest) > 0 {
		table[name] = rest
	} else {
		delete(table, name)
	}
	return len(c.channels) + len(c.patterns)
}

func (p *pubsub) dropClient(c *client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pattern := range []bool{false, true} {
		for _, name := range slices.Clone(*c.subscriptions(pattern)) {
			p.drop(c, name, pattern)
		}
	}
	if c.pushes != nil {
		close(c.pushes)
		c.pushes = nil
	}
}

func (p *pubsub) counts() (channels, patterns int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.channels), len(p.patterns)
}
