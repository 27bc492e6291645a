package server

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

func (s *Server) zsetCommands() []command {
	return []command{
		{"zadd", -4, write, one, s.cmdZAdd},
		{"zrange", -4, 0, one, s.cmdZRange},
		{"zscore", 3, 0, one, s.cmdZScore},
	}
}

// cmdZAdd knows no options.
func (s *Server) cmdZAdd(c *client, args []string) error {
	if len(args)%2 != 0 {
		return errSyntax
	}
	for i := 2; i < len(args); i += 2 {
		if _, err := strconv.ParseFloat(args[i], 64); err != nil {
			return refuse("value is not a valid float")
		}
	}
	added := 0
	err := s.change(func(r store.Reader) ([]store.Op, uint64, error) {
		v, err := s.get(r, args[1], store.ZSet)
		if err != nil {
			return nil, 0, err
		}
		fresh := map[string]bool{}
		for i := 3; i < len(args); i += 2 {
			if v == nil {
				fresh[args[i]] = true
			} else if _, known := v.Scores[args[i]]; !known {
				fresh[args[i]] = true
			}
		}
		added = len(fresh)
		// Each member has a record by name and one by score.
		return []store.Op{append(store.Op{store.OpZSetAdd}, args[1:]...)}, uint64(len(args) - 2 + bit(added > 0)), nil
	})
	if err == nil {
		c.WriteInt(added)
	}
	return err
}

// cmdZRange selects by rank only, and knows no options.
func (s *Server) cmdZRange(c *client, args []string) error {
	if len(args) > 4 {
		return errSyntax
	}
	var bad error
	err := s.read(args[1], store.ZSet, func(v *store.Value) {
		members := slices.SortedFunc(maps.Keys(v.Scores), func(a, b string) int {
			return cmp.Or(cmp.Compare(v.Scores[a], v.Scores[b]), cmp.Compare(a, b))
		})
		var from, to int
		if from, to, bad = span(args[2], args[3], len(members)); bad == nil {
			writeStrings(c, members[from:to])
		}
	})
	if err != nil {
		return err
	}
	return bad
}

func (s *Server) cmdZScore(c *client, args []string) error {
	return s.read(args[1], store.ZSet, func(v *store.Value) {
		if score, ok := v.Scores[args[2]]; ok {
			c.WriteBulkString(strconv.FormatFloat(score, 'g', -1, 64))
			return
		}
		c.WriteNull()
	})
}
