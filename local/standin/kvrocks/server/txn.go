package server

import "sync"

func (s *Server) txnCommands() []command {
	return []command{
		{"multi", 1, immediate, [3]int{}, cmdMulti},
		{"exec", 1, exclusive | immediate, [3]int{}, s.cmdExec},
		{"discard", 1, immediate, [3]int{}, s.cmdDiscard},
		{"watch", -2, immediate, all, s.cmdWatch},
		{"unwatch", 1, immediate, [3]int{}, s.cmdUnwatch},
	}
}

func (c *client) endMulti() { c.inMulti, c.inExec, c.multiFailed, c.queue = false, false, false, nil }

func cmdMulti(c *client, args []string) error {
	if c.inMulti {
		return refuse("MULTI calls can not be nested")
	}
	c.endMulti()
	c.inMulti = true
	return replyOK(c, args)
}

func (s *Server) cmdDiscard(c *client, args []string) error {
	if !c.inMulti {
		return refuse("DISCARD without MULTI")
	}
	s.watches.forget(c)
	c.endMulti()
	return replyOK(c, args)
}

// cmdExec runs the queue as one batch of the log. A client that is killed by its own transaction still gets all replies.
func (s *Server) cmdExec(c *client, _ []string) error {
	if !c.inMulti {
		return refuse("EXEC without MULTI")
	}
	defer s.watches.forget(c)
	defer c.endMulti()
	if c.multiFailed {
		return refusal("EXECABORT Transaction discarded")
	}
	if c.dirty.Load() {
		c.WriteNull()
		return nil
	}
	c.inExec = true
	c.WriteArray(len(c.queue))
	s.store.Begin()
	for _, args := range c.queue {
		s.execute(c, args)
	}
	return s.store.Commit()
}

func (s *Server) cmdWatch(c *client, args []string) error {
	if c.inMulti {
		return refuse("WATCH inside MULTI is not allowed")
	}
	s.watches.add(c, args[1:])
	return replyOK(c, args)
}

func (s *Server) cmdUnwatch(c *client, args []string) error {
	s.watches.forget(c)
	return replyOK(c, args)
}

// watches says which clients watch which key.
type watches struct {
	mu   sync.Mutex
	keys map[string]map[*client]struct{}
}

func (w *watches) add(c *client, keys []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.keys == nil {
		w.keys = map[string]map[*client]struct{}{}
	}
	for _, key := range keys {
		if w.keys[key] == nil {
			w.keys[key] = map[*client]struct{}{}
		}
		w.keys[key][c] = struct{}{}
		c.watched = append(c.watched, key)
	}
}

func (w *watches) forget(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range c.watched {
		delete(w.keys[key], c)
		if len(w.keys[key]) == 0 {
			delete(w.keys, key)
		}
	}
	c.watched = nil
	c.dirty.Store(false)
}

func (w *watches) touch(keys []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		for c := range w.keys[key] {
			c.dirty.Store(true)
		}
	}
}

func (w *watches) touchAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, watchers := range w.keys {
		for c := range watchers {
			c.dirty.Store(true)
		}
	}
}
