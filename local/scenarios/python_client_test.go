package scenarios

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// pythonClient runs testdata/plainclient.py: a client of another language than Go, with its default options. There is a writer for
// each of names, or one.
func (s *scenario) pythonClient(kind, address, password string, names ...string) []*plainWriter {
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
	var all []*plainWriter
	done := make(chan struct{})
	for range count {
		all = append(all, &plainWriter{stop: cancel, done: done})
	}
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			what, rest, _ := strings.Cut(lines.Text(), " ")
			number, text, _ := strings.Cut(rest, " ")
			if n, err := strconv.Atoi(number); err == nil && n < len(all) {
				all[n].note(what == "ack", text)
			}
		}
		_ = cmd.Wait() // it is ended by a signal
	}()
	s.Cleanup(func() { cancel(); <-done })
	for _, w := range all {
		s.resumes(w)
	}
	return all
}

func (w *plainWriter) note(acknowledged bool, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if acknowledged {
		w.acks = append(w.acks, time.Now())
	} else if !slices.Contains(w.errors, text) && len(w.errors) < 20 {
		w.errors = append(w.errors, text)
	}
}

// wrote returns an error unless a write that ended after the given moment was acknowledged.
func (w *plainWriter) wrote(after time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.acks); n == 0 || !w.acks[n-1].After(after) {
		return fmt.Errorf("none since %s, errors: %v", after.Format("15:04:05.000"), w.errors)
	}
	return nil
}

// resumes waits until the client writes again.
func (s *scenario) resumes(w *plainWriter) {
	s.Helper()
	after := time.Now()
	s.eventually("the client writes", 30*time.Second, func() error { return w.wrote(after) })
}
