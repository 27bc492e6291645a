package scenarios

import (
	"bufio"
	"context"
	"net"
	"os/exec"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"
)

// pythonClient runs testdata/plainclient.py: a client of another language than Go, with its default options. There is a writer for
// each of names, or one.
func (s *scenario) pythonClient(kind, address, password string, names ...string) []*writer {
	s.Helper()
	host, port, err := net.SplitHostPort(address)
	require.NoError(s, err)
	ctx, cancel := context.WithCancel(s.ctx)
	cmd := exec.CommandContext(ctx, "/usr/bin/python3", append([]string{"testdata/plainclient.py", kind, host, port, password}, names...)...)
	out, err := cmd.StdoutPipe()
	require.NoError(s, err)
	cmd.Stderr = s.Output()
	require.NoError(s, cmd.Start())
	count := 1
	if kind == "cluster" {
		count = len(names)
	}
	var (
		all  []*writer
		each []*progress
	)
	done := make(chan struct{})
	for range count {
		w := &writer{stop: cancel, done: done}
		all, each = append(all, w), append(each, &w.progress)
	}
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			what, rest, _ := strings.Cut(lines.Text(), " ")
			number, text, _ := strings.Cut(rest, " ")
			n, err := strconv.Atoi(number)
			switch {
			case err != nil || n >= len(all):
			case what == "ack":
				all[n].acknowledge(all[n].count())
			default:
				all[n].refuse(ctx, text)
			}
		}
		_ = cmd.Wait() // it is ended by a signal
	}()
	s.Cleanup(func() { cancel(); <-done })
	s.begun(each...)
	return all
}
