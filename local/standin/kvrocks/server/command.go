package server

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// flag says how a command is treated before it runs.
type flag uint

const (
	write     flag = 1 << iota // refused on a replica
	okLoading                  // answered while a full sync replaces the data
	exclusive                  // runs alone
	immediate                  // not queued by MULTI
	noMulti                    // refused inside MULTI
)

// command is one row of the command table.
type command struct {
	name  string
	arity int // exact number of words, or at least -arity when negative
	flags flag
	keys  [3]int // first key, last key (negative: from the end), step; zero when there are none
	run   func(c *client, args []string) error
}

var one, all = [3]int{1, 1, 1}, [3]int{1, -1, 1}

func (s *Server) commandTable() map[string]*command {
	table := map[string]*command{}
	for _, group := range [][]command{
		s.connectionCommands(), s.adminCommands(), s.clusterCommands(), s.replicationCommands(), s.txnCommands(), s.pubsubCommands(),
		s.keyCommands(), s.stringCommands(), s.hashCommands(), s.listCommands(), s.setCommands(), s.zsetCommands(),
	} {
		for i := range group {
			table[group[i].name] = &group[i]
		}
	}
	return table
}

// execute runs one command of a client and replies, in the order of checks that the real program has.
func (s *Server) execute(c *client, args []string) {
	cmd := s.commands[strings.ToLower(args[0])]
	if cmd == nil {
		s.fail(c, refuse(unknownCommand(args)))
		return
	}
	if !c.inExec {
		s.pause.await(cmd)
	}
	if !c.admin {
		if s.cfg.Text("requirepass") != "" && cmd.name != "auth" && cmd.name != "hello" {
			c.WriteError(errorLine(errNoAuth))
			return
		}
		c.admin = s.cfg.Text("requirepass") == ""
	}
	defer s.takeGuard(c, cmd, args)()

	if s.loading.Load() && cmd.flags&okLoading == 0 {
		s.fail(c, errLoading)
		return
	}
	if n := len(args); (cmd.arity >= 0 && n != cmd.arity) || n < -cmd.arity {
		s.fail(c, errArguments)
		return
	}
	if c.inMulti && cmd.flags&noMulti != 0 {
		s.fail(c, refuse("Can't execute "+cmd.name+" in MULTI"))
		return
	}
	if c.namespace != "" && needsAdmin(cmd.name) {
		s.fail(c, errAdminOnly)
		return
	}
	args = c.inNamespace(cmd, args)
	if err := s.route(c, cmd, args); err != nil {
		s.fail(c, err)
		return
	}
	c.asking = false
	if c.inMulti && !c.inExec && cmd.flags&immediate == 0 {
		c.queue = append(c.queue, args)
		c.WriteString("QUEUED")
		return
	}
	s.run(c, cmd, args)
}

// run runs a command that is neither refused nor queued by its flags.
func (s *Server) run(c *client, cmd *command, args []string) {
	if cmd.flags&write != 0 && s.isSlave() && s.cfg.Flag("slave-read-only") {
		c.WriteError(errorLine(errReadOnly))
		return
	}
	if err := s.refusesWrite(cmd); err != nil {
		c.WriteError(errorLine(err))
		return
	}
	if up := s.upstream.current(); up != nil && !s.cfg.Flag("slave-serve-stale-data") && up.state() != linkConnected &&
		cmd.name != "info" && cmd.name != "slaveof" {
		c.WriteError(errorLine(errMasterDown))
		return
	}
	c.mu.Lock()
	c.lastCommand = cmd.name
	c.mu.Unlock()
	if cmd.keys != [3]int{} {
		s.useData()
	}
	begin := time.Now()
	err := cmd.run(c, args)
	s.stats.record(cmd.name, time.Since(begin))
	if err != nil {
		c.WriteError(errorLine(err))
		return
	}
	if cmd.flags&write != 0 {
		s.watches.touch(commandKeys(cmd, args))
	}
}

// fail replies with an error that also spoils a transaction being queued.
func (s *Server) fail(c *client, err error) {
	c.multiFailed = c.multiFailed || c.inMulti
	c.WriteError(errorLine(err))
}

func (s *Server) takeGuard(c *client, cmd *command, args []string) (release func()) {
	alone := cmd.flags&exclusive != 0 ||
		(cmd.name == "config" && len(args) > 1 && strings.EqualFold(args[1], "set")) || changesTopology(cmd, args)
	switch {
	case c.inMulti && cmd.name != "exec":
		return func() {} // EXEC holds it, and queueing needs none
	case alone:
		s.guard.Lock()
		return s.guard.Unlock
	}
	s.guard.RLock()
	return s.guard.RUnlock
}

func unknownCommand(args []string) string {
	quoted := make([]string, len(args)-1)
	for i, a := range args[1:] {
		quoted[i] = "`" + a + "`"
	}
	return fmt.Sprintf("unknown command `%s`, with args beginning with: %s", args[0], strings.Join(quoted, ", "))
}

// commandKeys returns the keys among the words of a command.
func commandKeys(cmd *command, args []string) []string {
	if cmd.keys[0] == 0 {
		return nil
	}
	last := cmd.keys[1]
	if last < 0 {
		last += len(args)
	}
	var keys []string
	for i := cmd.keys[0]; i <= last && i < len(args); i += cmd.keys[2] {
		keys = append(keys, args[i])
	}
	return keys
}

// cmdCommand answers COMMAND, COMMAND COUNT and COMMAND INFO name...
func (s *Server) cmdCommand(c *client, args []string) error {
	names := slices.Sorted(maps.Keys(s.commands))
	sub := ""
	if len(args) > 1 {
		sub = strings.ToLower(args[1])
	}
	switch {
	case sub == "count" && len(args) == 2:
		c.WriteInt(len(names))
		return nil
	case sub == "info" && len(args) > 2:
		names = args[2:]
	case sub == "count", sub == "info", sub == "getkeys":
		return errArguments
	case sub != "":
		return refuse("Command subcommand must be one of COUNT, GETKEYS, INFO")
	}
	c.WriteArray(len(names))
	for _, name := range names {
		cmd := s.commands[strings.ToLower(name)]
		if cmd == nil {
			c.WriteNull()
			continue
		}
		c.WriteArray(6)
		c.WriteBulkString(cmd.name)
		c.WriteInt(cmd.arity)
		c.WriteArray(1)
		if cmd.flags&write != 0 {
			c.WriteBulkString("write")
		} else {
			c.WriteBulkString("readonly")
		}
		for _, key := range cmd.keys {
			c.WriteInt(key)
		}
	}
	return nil
}
