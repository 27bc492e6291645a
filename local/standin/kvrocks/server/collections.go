package server

import (
	"maps"
	"slices"
	"strconv"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

// A change of a collection takes one sequence number for each element it touches and one for the key's own record.

func (s *Server) hashCommands() []command {
	return []command{
		{"hset", -4, write, one, s.cmdHSet},
		{"hget", 3, 0, one, s.cmdHGet},
		{"hgetall", 2, 0, one, s.cmdHGetAll},
		{"hdel", -3, write, one, s.removeElements(store.Hash)},
	}
}

func (s *Server) setCommands() []command {
	return []command{
		{"sadd", -3, write, one, s.cmdSAdd},
		{"srem", -3, write, one, s.removeElements(store.Set)},
		{"smembers", 2, 0, one, s.cmdSMembers},
		{"scard", 2, 0, one, s.size(store.Set)},
	}
}

// read gives a command a look at a collection; a missing key is an empty one.
func (s *Server) read(key string, kind store.Kind, look func(*store.Value)) (err error) {
	s.store.View(func(r store.Reader) {
		var v *store.Value
		if v, err = s.get(r, key, kind); err != nil {
			return
		}
		if v == nil {
			v = &store.Value{Kind: kind}
		}
		look(v)
	})
	return err
}

func (s *Server) size(kind store.Kind) func(*client, []string) error {
	return func(c *client, args []string) error {
		return s.read(args[1], kind, func(v *store.Value) { c.WriteInt(len(v.Fields) + len(v.List)) })
	}
}

// removeElements is HDEL and SREM.
func (s *Server) removeElements(kind store.Kind) func(*client, []string) error {
	return func(c *client, args []string) error {
		removed := 0
		err := s.change(func(r store.Reader) ([]store.Op, uint64, error) {
			v, err := s.get(r, args[1], kind)
			if err != nil || v == nil {
				return nil, 0, err
			}
			op := store.Op{store.OpFieldsDelete, args[1]}
			for _, name := range args[2:] {
				if _, known := v.Fields[name]; known && !slices.Contains(op[2:], name) {
					op = append(op, name)
				}
			}
			if removed = len(op) - 2; removed == 0 {
				return nil, 0, nil
			}
			return []store.Op{op}, uint64(removed + 1), nil
		})
		if err == nil {
			c.WriteInt(removed)
		}
		return err
	}
}

func (s *Server) cmdHSet(c *client, args []string) error {
	if len(args)%2 != 0 {
		return errArguments
	}
	added := 0
	err := s.change(func(r store.Reader) ([]store.Op, uint64, error) {
		v, err := s.get(r, args[1], store.Hash)
		if err != nil {
			return nil, 0, err
		}
		fresh := map[string]bool{}
		for i := 2; i < len(args); i += 2 {
			if v == nil {
				fresh[args[i]] = true
			} else if _, known := v.Fields[args[i]]; !known {
				fresh[args[i]] = true
			}
		}
		added = len(fresh)
		op := append(store.Op{store.OpHashSet}, args[1:]...)
		return []store.Op{op}, uint64((len(args)-2)/2 + bit(added > 0)), nil
	})
	if err == nil {
		c.WriteInt(added)
	}
	return err
}

func (s *Server) cmdHGet(c *client, args []string) error {
	return s.read(args[1], store.Hash, func(v *store.Value) {
		if value, ok := v.Fields[args[2]]; ok {
			c.WriteBulkString(value)
			return
		}
		c.WriteNull()
	})
}

func (s *Server) cmdHGetAll(c *client, args []string) error {
	return s.read(args[1], store.Hash, func(v *store.Value) {
		c.WriteArray(2 * len(v.Fields))
		for _, name := range slices.Sorted(maps.Keys(v.Fields)) {
			c.WriteBulkString(name)
			c.WriteBulkString(v.Fields[name])
		}
	})
}

func (s *Server) cmdSAdd(c *client, args []string) error {
	added := 0
	err := s.change(func(r store.Reader) ([]store.Op, uint64, error) {
		v, err := s.get(r, args[1], store.Set)
		if err != nil {
			return nil, 0, err
		}
		op := store.Op{store.OpSetAdd, args[1]}
		for _, m := range args[2:] {
			known := slices.Contains(op[2:], m)
			if v != nil && !known {
				_, known = v.Fields[m]
			}
			if !known {
				op = append(op, m)
			}
		}
		if added = len(op) - 2; added == 0 {
			return nil, 0, nil
		}
		return []store.Op{op}, uint64(added + 1), nil
	})
	if err == nil {
		c.WriteInt(added)
	}
	return err
}

func (s *Server) cmdSMembers(c *client, args []string) error {
	return s.read(args[1], store.Set, func(v *store.Value) { writeStrings(c, slices.Sorted(maps.Keys(v.Fields))) })
}

func (s *Server) listCommands() []command {
	return []command{
		{"lpush", -3, write, one, s.push(store.OpPushLeft)},
		{"rpush", -3, write, one, s.push(store.OpPushRight)},
		{"lrange", 4, 0, one, s.cmdLRange},
		{"llen", 2, 0, one, s.size(store.List)},
	}
}

func (s *Server) push(op string) func(*client, []string) error {
	return func(c *client, args []string) error {
		size := 0
		err := s.change(func(r store.Reader) ([]store.Op, uint64, error) {
			v, err := s.get(r, args[1], store.List)
			if err != nil {
				return nil, 0, err
			}
			size = len(args) - 2
			count := size + 1
			if v != nil {
				size += len(v.List)
			}
			return []store.Op{append(store.Op{op}, args[1:]...)}, uint64(count), nil
		})
		if err == nil {
			c.WriteInt(size)
		}
		return err
	}
}

// span turns start and stop words, which may count from the end, into a half-open range within n elements.
func span(start, stop string, n int) (from, to int, err error) {
	from, err1 := strconv.Atoi(start)
	to, err2 := strconv.Atoi(stop)
	if err1 != nil || err2 != nil {
		return 0, 0, errNotInteger
	}
	if from < 0 {
		from = max(from+n, 0)
	}
	if to < 0 {
		to += n
	}
	to = min(to+1, n)
	return min(from, max(to, 0)), max(to, 0), nil
}

func (s *Server) cmdLRange(c *client, args []string) error {
	var bad error
	err := s.read(args[1], store.List, func(v *store.Value) {
		var from, to int
		if from, to, bad = span(args[2], args[3], len(v.List)); bad == nil {
			writeStrings(c, v.List[from:to])
		}
	})
	if err != nil {
		return err
	}
	return bad
}
