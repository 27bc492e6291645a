package server

import (
	"strconv"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

func (s *Server) stringCommands() []command {
	step2 := [3]int{1, -1, 2}
	add := func(amount func(args []string) (int64, error)) func(*client, []string) error {
		return func(c *client, args []string) error {
			n, err := amount(args)
			if err != nil {
				return errNotInteger
			}
			return s.addInteger(c, args[1], n)
		}
	}
	given := func(args []string) (int64, error) { return strconv.ParseInt(args[2], 10, 64) }
	negated := func(args []string) (int64, error) {
		n, err := given(args)
		return -n, err
	}
	constant := func(n int64) func([]string) (int64, error) { return func([]string) (int64, error) { return n, nil } }
	return []command{
		{"get", 2, 0, one, s.cmdGet},
		{"mget", -2, 0, all, s.cmdMGet},
		{"strlen", 2, 0, one, s.cmdStrLen},
		{"set", -3, write, one, s.cmdSet},
		{"setnx", 3, write, one, s.cmdSetNX},
		{"setex", 4, write, one, func(c *client, args []string) error {
			return s.cmdSet(c, []string{"set", args[1], args[3], "EX", args[2]})
		}},
		{"psetex", 4, write, one, func(c *client, args []string) error {
			return s.cmdSet(c, []string{"set", args[1], args[3], "PX", args[2]})
		}},
		{"getset", 3, write, one, s.cmdGetSet},
		{"getdel", 2, write, one, s.cmdGetDel},
		{"mset", -3, write, step2, s.cmdMSet},
		{"append", 3, write, one, s.cmdAppend},
		{"incr", 2, write, one, add(constant(1))},
		{"decr", 2, write, one, add(constant(-1))},
		{"incrby", 3, write, one, add(given)},
		{"decrby", 3, write, one, add(negated)},
	}
}

func setOp(key, value string, expireAt int64) store.Op {
	return store.Op{store.OpSet, key, value, strconv.FormatInt(expireAt, 10)}
}

func writeStringOrNull(c *client, v *store.Value) {
	if v == nil {
		c.WriteNull()
		return
	}
	c.WriteBulkString(v.Str)
}

func (s *Server) cmdGet(c *client, args []string) (err error) {
	s.store.View(func(r store.Reader) {
		var v *store.Value
		if v, err = s.get(r, args[1], store.String); err == nil {
			writeStringOrNull(c, v)
		}
	})
	return err
}

func (s *Server) cmdMGet(c *client, args []string) error {
	c.WriteArray(len(args) - 1)
	s.store.View(func(r store.Reader) {
		for _, key := range args[1:] {
			v, _ := s.get(r, key, store.String) // another type reads as missing
			writeStringOrNull(c, v)
		}
	})
	return nil
}

func (s *Server) cmdStrLen(c *client, args []string) (err error) {
	s.store.View(func(r store.Reader) {
		var v *store.Value
		if v, err = s.get(r, args[1], store.String); err != nil {
			return
		}
		if v == nil {
			v = &store.Value{}
		}
		c.WriteInt(len(v.Str))
	})
	return err
}

// setOptions are the words after SET key value.
type setOptions struct {
	ifExists, ifMissing, get, keepTTL bool
	expire                            func(now int64) int64 // nil: never
}

func parseSet(args []string) (o setOptions, err error) {
	for i := 0; i < len(args); i++ {
		switch opt := strings.ToLower(args[i]); opt {
		case "nx":
			o.ifMissing = true
		case "xx":
			o.ifExists = true
		case "get":
			o.get = true
		case "keepttl":
			o.keepTTL = true
		case "ex", "px", "exat", "pxat":
			if i++; i == len(args) {
				return o, errSyntax
			}
			n, err := strconv.ParseInt(args[i], 10, 64)
			if err != nil {
				return o, errNotInteger
			}
			if n <= 0 {
				return o, refuse("invalid expire time in 'set' command")
			}
			if !strings.HasPrefix(opt, "p") {
				n *= int64(time.Second / time.Millisecond)
			}
			o.expire = func(now int64) int64 { return n + now }
			if strings.HasSuffix(opt, "at") {
				o.expire = func(int64) int64 { return n }
			}
		default:
			return o, errSyntax
		}
	}
	if o.ifExists && o.ifMissing || o.keepTTL && o.expire != nil {
		return o, errSyntax
	}
	return o, nil
}

func (s *Server) cmdSet(c *client, args []string) error {
	o, err := parseSet(args[3:])
	if err != nil {
		return err
	}
	var old *store.Value
	done := false
	err = s.change(func(r store.Reader) ([]store.Op, uint64, error) {
		old = r.Get(args[1])
		if o.get && old != nil && old.Kind != store.String {
			return nil, 0, errWrongType
		}
		if done = (old == nil || !o.ifMissing) && (old != nil || !o.ifExists); !done {
			return nil, 0, nil
		}
		var at int64
		switch {
		case o.expire != nil:
			at = o.expire(r.Now())
		case o.keepTTL && old != nil:
			at = old.ExpireAt
		}
		return []store.Op{setOp(args[1], args[2], at)}, 1, nil
	})
	switch {
	case err != nil:
		return err
	case o.get:
		writeStringOrNull(c, old)
	case done:
		c.WriteString("OK")
	default:
		c.WriteNull()
	}
	return nil
}

func (s *Server) cmdSetNX(c *client, args []string) error {
	done := false
	err := s.change(func(r store.Reader) ([]store.Op, uint64, error) {
		if done = r.Get(args[1]) == nil; !done {
			return nil, 0, nil
		}
		return []store.Op{setOp(args[1], args[2], 0)}, 1, nil
	})
	if err == nil {
		c.WriteInt(bit(done))
	}
	return err
}

func (s *Server) cmdGetSet(c *client, args []string) error {
	return s.replace(c, args[1], setOp(args[1], args[2], 0), true)
}

func (s *Server) cmdGetDel(c *client, args []string) error {
	return s.replace(c, args[1], store.Op{store.OpDelete, args[1]}, false)
}

// replace replies with a string and changes it, if it exists or always is set.
func (s *Server) replace(c *client, key string, op store.Op, always bool) error {
	var old *store.Value
	err := s.change(func(r store.Reader) (_ []store.Op, _ uint64, err error) {
		if old, err = s.get(r, key, store.String); err != nil || (old == nil && !always) {
			return nil, 0, err
		}
		return []store.Op{op}, 1, nil
	})
	if err == nil {
		writeStringOrNull(c, old)
	}
	return err
}

func (s *Server) cmdMSet(c *client, args []string) error {
	if len(args)%2 == 0 {
		return errArguments
	}
	err := s.change(func(store.Reader) (ops []store.Op, _ uint64, _ error) {
		for i := 1; i < len(args); i += 2 {
			ops = append(ops, setOp(args[i], args[i+1], 0))
		}
		return ops, uint64(len(ops)), nil
	})
	if err != nil {
		return err
	}
	return replyOK(c, args)
}

func (s *Server) cmdAppend(c *client, args []string) error {
	size := 0
	err := s.change(func(r store.Reader) ([]store.Op, uint64, error) {
		v, err := s.get(r, args[1], store.String)
		if err != nil {
			return nil, 0, err
		}
		if v == nil {
			v = &store.Value{}
		}
		size = len(v.Str) + len(args[2])
		return []store.Op{setOp(args[1], v.Str+args[2], v.ExpireAt)}, 1, nil
	})
	if err == nil {
		c.WriteInt(size)
	}
	return err
}

func (s *Server) addInteger(c *client, key string, amount int64) error {
	var sum int64
	err := s.change(func(r store.Reader) ([]store.Op, uint64, error) {
		v, err := s.get(r, key, store.String)
		if err != nil {
			return nil, 0, err
		}
		if v == nil {
			v = &store.Value{Str: "0"}
		}
		old, err := strconv.ParseInt(v.Str, 10, 64)
		if err != nil {
			return nil, 0, errNotInteger
		}
		if sum = old + amount; (amount > 0) != (sum > old) && amount != 0 {
			return nil, 0, refuse("increment or decrement would overflow")
		}
		return []store.Op{setOp(key, strconv.FormatInt(sum, 10), v.ExpireAt)}, 1, nil
	})
	if err == nil {
		c.WriteInt64(sum)
	}
	return err
}
