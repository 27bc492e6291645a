package server

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

func (s *Server) adminCommands() []command {
	return []command{
		{"info", -1, okLoading, [3]int{}, s.cmdInfo},
		{"config", -2, 0, [3]int{}, s.cmdConfig},
		{"namespace", -2, 0, [3]int{}, s.cmdNamespace},
		{"dbsize", -1, 0, [3]int{}, s.cmdDBSize},
		{"flushdb", 1, write, [3]int{}, s.cmdFlush},
		{"flushall", 1, write, [3]int{}, s.cmdFlush},
		{"debug", -2, exclusive, [3]int{}, cmdDebug},
		{"script", -2, exclusive, [3]int{}, s.cmdScript},
		{"shutdown", 1, noMulti, [3]int{}, s.cmdShutdown},
	}
}

func (s *Server) cmdConfig(c *client, args []string) error {
	sub := strings.ToLower(args[1])
	switch {
	case (sub == "rewrite" && len(args) != 2) || (sub == "get" && len(args) != 3) || (sub == "set" && len(args) != 4):
		return errArguments
	case sub == "rewrite":
		if err := s.cfg.Rewrite(); err != nil {
			return refuse(err.Error())
		}
		s.log.Info("CONFIG REWRITE executed with success")
	case sub == "get":
		found := s.cfg.Get(args[2])
		c.WriteArray(2 * len(found))
		for _, kv := range found {
			c.WriteBulkString(kv[0])
			c.WriteBulkString(kv[1])
		}
		return nil
	case sub == "set":
		s.checkCrash(args[2])
		if err := s.cfg.Set(args[2], args[3]); err != nil {
			return refuse("CONFIG SET '" + args[2] + "' error: " + err.Error())
		}
		if strings.EqualFold(args[2], optionNamespaces) {
			if err := s.switchTokens(); err != nil {
				return refuse("CONFIG SET '" + args[2] + "' error: " + err.Error())
			}
		}
	default:
		return refuse("CONFIG subcommand must be one of GET, SET, REWRITE")
	}
	c.WriteString("OK")
	return nil
}

// checkCrash does to a node out of cluster mode what changing a batch limit of migrations does to the real one.
func (s *Server) checkCrash(option string) {
	option = strings.ToLower(option)
	if !s.cfg.Flag("cluster-enabled") && (option == "migrate-batch-rate-limit-mb" || option == "migrate-batch-size-kb") {
		crash(s.log, "CONFIG SET "+option+" without cluster mode")
	}
}

func (s *Server) cmdDBSize(c *client, args []string) error {
	switch {
	case len(args) == 1:
		s.sizes.mu.Lock()
		defer s.sizes.mu.Unlock()
		c.WriteInt(s.sizes.keys)
	case len(args) == 2 && strings.EqualFold(args[1], "scan"):
		s.scanSizes()
		c.WriteString("OK")
	default:
		return refuse("DBSIZE subcommand only supports scan")
	}
	return nil
}

func (s *Server) scanSizes() {
	z := &s.sizes
	z.mu.Lock()
	defer z.mu.Unlock()
	z.keys, z.expires, z.avgTTL, z.at = 0, 0, 0, time.Now()
	s.store.View(func(r store.Reader) {
		var ttl int64
		r.Keys("", s.firstKey(), func(_ string, v *store.Value) bool {
			z.keys++
			if v.ExpireAt != 0 {
				z.expires++
				ttl += v.ExpireAt - r.Now()
			}
			return true
		})
		if z.expires > 0 {
			z.avgTTL = ttl / int64(z.expires)
		}
	})
}

func (s *Server) cmdFlush(c *client, args []string) error {
	if s.migration.running().Valid() {
		s.migration.stop.Store(true)
	}
	err := s.update(func(r store.Reader) ([]store.Op, uint64) {
		if strings.EqualFold(args[0], "flushdb") && !s.cfg.Flag("cluster-enabled") {
			return s.flushNamespace(r, c.namespace)
		}
		ops := []store.Op{{store.OpFlush}}
		if v := r.Get(tokenKey); v != nil {
			ops = append(ops, store.Op{store.OpSet, tokenKey, v.Str, "0"}) // no data
		}
		return ops, 1
	})
	if err != nil {
		return err
	}
	s.watches.touchAll()
	s.log.Warn("All DB keys was flushed", "addr", c.RemoteAddr())
	return replyOK(c, args)
}

func cmdDebug(c *client, args []string) error {
	if strings.ToLower(args[1]) != "sleep" || len(args) != 3 {
		return refuse("Syntax error, DEBUG SLEEP <seconds>|PROTOCOL <type>|DBSIZE-LIMIT <0|1>")
	}
	seconds, err := strconv.ParseFloat(args[2], 64)
	if err != nil {
		return refuse("invalid debug sleep time")
	}
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	return replyOK(c, args)
}

// cmdScript only refuses: scripts are not imitated, but sentinel sends SCRIPT KILL.
func (s *Server) cmdScript(_ *client, args []string) error {
	if s.isSlave() && !strings.EqualFold(args[1], "exists") {
		return refuse("READONLY You can't write against a read only slave")
	}
	return refuse("Unknown SCRIPT subcommand or wrong number of arguments")
}

func (s *Server) cmdShutdown(c *client, _ []string) error {
	c.closing.Store(true)
	// The way out is the one of a stopped pod.
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return refuse(err.Error())
	}
	return nil
}
