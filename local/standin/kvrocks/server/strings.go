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
	constant := func(n int64) func([]string) (int64, error) { return func([]string) (int64, error) { return n, nil } }
	return []command{
		{"get", 2, 0, one, s.cmdGet},
		{"mget", -2, 0, all, s.cmdMGet},
		{"strlen", 2, 0, one, s.cmdStrLen},
		{"set", -3, write, one, s.cmdSet},
		{"setnx", 3, write, one, s.cmdSetNX},
		{"mset", -3, write, step2, s.cmdMSet},
		{"append", 3, write, one, s.cmdAppend},
		{"incr", 2, write, one, add(constant(1))},
		{"decr", 2, write, one, add(constant(-1))},
		{"incrby", 3, write, one, add(given)},
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

// setOptions are the words after SET key value, of which the stand-in knows NX, XX, EX and PX.
type setOptions struct {
	ifExists, ifMissing bool
	expireIn            int64 // milliseconds; 0: never
}

func parseSet(args []string) (o setOptions, err error) {
	for i := 0; i < len(args); i++ {
		switch opt := strings.ToLower(args[i]); opt {
		case "nx":
			o.ifMissing = true
		case "xx":
			o.ifExists = true
		case "ex", "px":
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
			if opt == "ex" {
				n *= int64(time.Second / time.Millisecond)
			}
			o.expireIn = n
		default:
			return o, errSyntax
		}
	}
	if o.ifExists && o.ifMissing {
		return o, errSyntax
	}
	return o, nil
}

func (s *Server) cmdSet(c *client, args []string) error {
	o, err := parseSet(args[3:])
	if err != nil {
		return err
	}
	done := false
	err = s.change(func(r store.Reader) ([]store.Op, uint64, error) {
		exists := r.Get(args[1]) != nil
		if done = exists && !o.ifMissing || !exists && !o.ifExists; !done {
			return nil, 0, nil
		}
		var at int64
		if o.expireIn != 0 {
			at = r.Now() + o.expireIn
		}
		return []store.Op{setOp(args[1], args[2], at)}, 1, nil
	})
	switch {
	case err != nil:
		return err
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
