package server

import (
	"strconv"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

func (s *Server) keyCommands() []command {
	return []command{
		{"del", -2, write, all, s.cmdDel},
		{"exists", -2, 0, all, s.cmdExists},
		{"type", 2, 0, one, s.cmdType},
		{"expire", 3, write, one, s.cmdExpire},
		{"ttl", 2, 0, one, s.cmdTTL},
		{"keys", 2, 0, [3]int{}, s.cmdKeys},
		{"scan", -2, 0, [3]int{}, s.cmdScan},
	}
}

// get returns a key's value if it has the wanted kind, nil if the key does not exist. It counts hits and misses.
func (s *Server) get(r store.Reader, key string, kind store.Kind) (*store.Value, error) {
	v := r.Get(key)
	if v == nil {
		s.stats.count(&s.stats.misses)
		return nil, nil
	}
	s.stats.count(&s.stats.hits)
	if v.Kind != kind {
		return nil, errWrongType
	}
	return v, nil
}

// change runs an update whose decision can also fail.
func (s *Server) change(decide func(store.Reader) ([]store.Op, uint64, error)) error {
	var failed error
	err := s.update(func(r store.Reader) ([]store.Op, uint64) {
		var ops []store.Op
		var count uint64
		ops, count, failed = decide(r)
		if failed != nil {
			return nil, 0
		}
		return ops, count
	})
	if failed != nil {
		return failed
	}
	return err
}

func (s *Server) cmdDel(c *client, args []string) error {
	n := 0
	err := s.change(func(r store.Reader) (ops []store.Op, _ uint64, _ error) {
		seen := map[string]bool{}
		for _, key := range args[1:] {
			if r.Get(key) != nil && !seen[key] {
				seen[key] = true
				ops = append(ops, store.Op{store.OpDelete, key})
			}
		}
		n = len(ops)
		return ops, uint64(n), nil
	})
	if err == nil {
		c.WriteInt(n)
	}
	return err
}

func (s *Server) cmdExists(c *client, args []string) error {
	n := 0
	s.store.View(func(r store.Reader) {
		for _, key := range args[1:] {
			n += bit(r.Get(key) != nil)
		}
	})
	c.WriteInt(n)
	return nil
}

func (s *Server) cmdType(c *client, args []string) error {
	var kind store.Kind
	s.store.View(func(r store.Reader) { kind = r.Kind(args[1]) })
	c.WriteString(string(kind))
	return nil
}

func (s *Server) cmdExpire(c *client, args []string) error {
	n, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return errNotInteger
	}
	found := false
	err = s.change(func(r store.Reader) ([]store.Op, uint64, error) {
		found = r.Get(args[1]) != nil
		if !found {
			return nil, 0, nil
		}
		if n <= 0 {
			return []store.Op{{store.OpDelete, args[1]}}, 1, nil
		}
		at := r.Now() + n*int64(time.Second/time.Millisecond)
		return []store.Op{{store.OpExpire, args[1], strconv.FormatInt(at, 10)}}, 1, nil
	})
	if err == nil {
		c.WriteInt(bit(found))
	}
	return err
}

func (s *Server) cmdTTL(c *client, args []string) error {
	s.store.View(func(r store.Reader) {
		v := r.Get(args[1])
		switch {
		case v == nil:
			c.WriteInt(-2)
		case v.ExpireAt == 0:
			c.WriteInt(-1)
		default:
			c.WriteInt64((v.ExpireAt - r.Now()) / int64(time.Second/time.Millisecond))
		}
	})
	return nil
}

// cmdKeys knows one pattern: a prefix and a star.
func (s *Server) cmdKeys(c *client, args []string) error {
	if strings.IndexByte(args[1], '*') != len(args[1])-1 || args[1] == "" {
		return refuse("only keys prefix match was supported")
	}
	var keys []string
	s.store.View(func(r store.Reader) {
		prefix, after := prefixOf(c.namespace), ""
		if prefix == "" {
			after = s.firstKey()
		}
		r.Keys(prefix+args[1][:len(args[1])-1], after, func(key string, _ *store.Value) bool {
			keys = append(keys, strings.TrimPrefix(key, prefix))
			return true
		})
	})
	writeStrings(c, keys)
	return nil
}

func writeStrings(c *client, list []string) {
	c.WriteArray(len(list))
	for _, item := range list {
		c.WriteBulkString(item)
	}
}

func (s *Server) cmdScan(c *client, args []string) error {
	limit, prefix, kind := 20, "", store.None
	for i := 2; i < len(args); i += 2 {
		if i+1 == len(args) {
			return errSyntax
		}
		switch value := args[i+1]; strings.ToLower(args[i]) {
		case "match":
			if !strings.HasSuffix(value, "*") {
				return refuse("currently only key prefix matching is supported")
			}
			prefix = strings.TrimSuffix(value, "*")
		case "count":
			n, err := strconv.Atoi(value)
			if err != nil {
				return errNotInteger
			}
			if n <= 0 {
				return refuse("limit should be a positive integer")
			}
			limit = n
		case "type":
			kind = store.Kind(value)
		default:
			return errSyntax
		}
	}
	cursor, _ := strconv.ParseUint(args[1], 10, 64) // what is no number starts from the beginning
	var keys []string
	end := ""
	s.store.View(func(r store.Reader) {
		after, own := s.cursors.key(cursor), prefixOf(c.namespace)
		if after == "" && own == "" {
			after = s.firstKey()
		}
		keys, end = r.Scan(store.Scan{After: after, Prefix: own + prefix, Kind: kind, Limit: limit})
		for i := range keys {
			keys[i] = strings.TrimPrefix(keys[i], own)
		}
	})
	c.WriteArray(2)
	if end != "" {
		c.WriteBulkString(strconv.FormatUint(s.cursors.remember(end), 10))
	} else {
		c.WriteBulkString("0")
	}
	writeStrings(c, keys)
	return nil
}
