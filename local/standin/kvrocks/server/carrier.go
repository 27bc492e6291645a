package server

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/redcon"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/cluster"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

// carrier is the connection that takes the keys of a slot to another node, a pipeline of commands at a time.
type carrier struct {
	conn    net.Conn
	in      *bufio.Reader
	pending []byte
	queued  int
	full    func() bool                   // the pipeline is to be sent
	pace    func(bytes int) time.Duration // that a pipeline of so many bytes takes at least
	last    time.Time
}

// dialImport opens the connection and tells the destination what comes.
func (s *Server) dialImport(r cluster.Range, addr string) (*carrier, error) {
	conn, err := net.DialTimeout("tcp", addr, connectTimeout)
	if err != nil {
		return nil, fmt.Errorf("connect to the destination node: %w", err)
	}
	out := &carrier{conn: conn, in: bufio.NewReader(conn)}
	kind, chooses := s.cfg.Lookup("migrate-type")
	raw := !chooses || kind == "raw-key-value"
	// The rest can be changed while the job runs.
	out.full = func() bool {
		if raw {
			return len(out.pending) >= s.cfg.Number("migrate-batch-size-kb")<<10
		}
		return out.queued >= s.cfg.Number("migrate-pipeline-size")
	}
	out.pace = func(bytes int) time.Duration {
		if raw {
			return time.Second * time.Duration(bytes) / time.Duration(s.cfg.Number("migrate-batch-rate-limit-mb")<<20)
		}
		speed := max(s.cfg.Number("migrate-speed"), 0)
		if speed == 0 {
			return 0
		}
		return time.Second * time.Duration(s.cfg.Number("migrate-pipeline-size")) / time.Duration(speed)
	}
	if password := s.cfg.Text("requirepass"); password != "" {
		err = out.ask("auth", password)
	}
	if err == nil {
		err = out.ask("cluster", "import", r.String(), itoa(importStart))
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return out, nil
}

// ask sends one command; an error reply is an error.
func (out *carrier) ask(words ...string) error {
	cmd := redcon.AppendArray(nil, len(words))
	for _, w := range words {
		cmd = redcon.AppendBulkString(cmd, w)
	}
	if _, err := out.conn.Write(cmd); err != nil {
		return fmt.Errorf("send %s: %w", words[0], err)
	}
	return out.answer()
}

func (out *carrier) answer() error {
	line, err := out.in.ReadString('\n')
	if err != nil {
		return fmt.Errorf("answer of the destination node: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if strings.HasPrefix(line, "-") {
		return errors.New("the destination node answered: " + line[1:])
	}
	return nil
}

// add queues a change and sends the pipeline when it is full.
func (out *carrier) add(key string, count uint64, op store.Op) error {
	out.pending = redcon.AppendArray(out.pending, 3+len(op))
	for _, w := range append([]string{"_apply", key, strconv.FormatUint(count, 10)}, op...) {
		out.pending = redcon.AppendBulkString(out.pending, w)
	}
	if out.queued++; !out.full() {
		return nil
	}
	return out.flush()
}

func (out *carrier) flush() error {
	if out.queued == 0 {
		return nil
	}
	time.Sleep(out.pace(len(out.pending)) - time.Since(out.last))
	out.last = time.Now()
	if _, err := out.conn.Write(out.pending); err != nil {
		return fmt.Errorf("send a pipeline: %w", err)
	}
	for range out.queued {
		if err := out.answer(); err != nil {
			return err
		}
	}
	out.pending, out.queued = out.pending[:0], 0
	return nil
}

// sendSnapshot sends the keys of the slots as they are now and returns the sequence to go on with.
func (out *carrier) sendSnapshot(s *Server, r cluster.Range) (next uint64, err error) {
	type change struct {
		key string
		op  store.Op
	}
	var changes []change
	s.store.View(func(look store.Reader) {
		next = look.Sequence() + 1
		look.Keys("", "", func(key string, _ *store.Value) bool {
			if r.Contains(cluster.KeySlot(key)) {
				look.Dump(key, func(op store.Op) { changes = append(changes, change{key, op}) })
			}
			return true
		})
	})
	for _, ch := range changes {
		if s.migration.stop.Load() {
			return 0, errCanceled
		}
		if err := out.add(ch.key, 1, ch.op); err != nil {
			return 0, err
		}
	}
	return next, out.flush()
}

// sendLog sends what the log from next to last has for the slots and returns the sequence to go on with.
func (out *carrier) sendLog(s *Server, r cluster.Range, next, last uint64) (uint64, error) {
	for next <= last {
		if s.migration.stop.Load() {
			return 0, errCanceled
		}
		batch, _, err := s.store.BatchAt(next)
		if err != nil {
			return 0, err
		}
		for _, op := range batch.Ops {
			// What has no key is not for the destination; a flush cancels the job.
			keyless := op[0] == store.OpPublish || op[0] == store.OpReplID || op[0] == store.OpClearSlot || len(op) < 2
			if keyless || !r.Contains(cluster.KeySlot(op[1])) {
				continue
			}
			if err := out.add(op[1], 1, op); err != nil {
				return 0, err
			}
		}
		next = batch.Last() + 1
	}
	return next, out.flush()
}
