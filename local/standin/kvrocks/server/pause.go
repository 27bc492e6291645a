package server

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// CLIENT PAUSE and UNPAUSE came with kvrocks 2.16 (apache/kvrocks #3378; read in src/server/redis_connection.cc and server.h of the
// releases since): a command that is held answers nothing, and neither does any that its connection sends after it; a second PAUSE takes the place of the
// first; the EXEC of commands that were queued before goes through a pause of writes.

// pausesClients is the release that began to.
const pausesClients = 16

// pause is the pause that is in force.
type pause struct {
	mu     sync.Mutex
	until  time.Time
	all    bool
	ending chan struct{} // closed when it is ended or replaced
}

// set begins a pause in the place of any other; one of no time ends it.
func (p *pause) set(d time.Duration, all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ending != nil {
		close(p.ending)
	}
	p.until, p.all, p.ending = time.Now().Add(d), all, make(chan struct{})
}

// await returns once nothing holds the command.
func (p *pause) await(cmd *command) {
	for {
		p.mu.Lock()
		left, held, ending := time.Until(p.until), p.all || cmd.flags&write != 0 || cmd.name == "publish", p.ending
		p.mu.Unlock()
		if left <= 0 || !held || cmd.name == "client" {
			return
		}
		select {
		case <-ending:
		case <-time.After(left):
		}
	}
}

func (s *Server) cmdClientPause(c *client, args []string) error {
	ms, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil || ms < 0 {
		return refuse("timeout is not an integer or out of range")
	}
	all := true
	if len(args) == 4 {
		all = strings.EqualFold(args[3], "all")
		if !all && !strings.EqualFold(args[3], "write") {
			return errSyntax
		}
	}
	s.pause.set(time.Duration(ms)*time.Millisecond, all)
	return replyOK(c, args)
}
