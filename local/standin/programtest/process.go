package programtest

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Process is a program that runs until the test ends, unless it is stopped earlier. If the test fails, the end of what it
// printed is shown.
type Process struct {
	t      *testing.T
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
}

// Launch starts a program and does not wait for it to be ready. Its output goes to the end of the file log.
func Launch(t *testing.T, log, program string, args ...string) *Process {
	t.Helper()
	return LaunchIn(t, log, os.Environ(), program, args...)
}

// LaunchIn is Launch with an environment other than the test's own.
func LaunchIn(t *testing.T, log string, environ []string, program string, args ...string) *Process {
	t.Helper()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	defer func() { _ = out.Close() }()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = out, out, environ
	require.NoError(t, cmd.Start(), "the test needs %s", program)
	p := &Process{t: t, cmd: cmd, log: log, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-p.exited
		if t.Failed() {
			t.Logf("end of %s:\n%s", filepath.Base(log), p.Log())
		}
	})
	return p
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process as a crash does, and waits for its end. A process that has ended before, by itself, fails the test.
func (p *Process) Kill() {
	p.t.Helper()
	p.Signal(os.Kill)
	<-p.exited
}

// Signal sends a signal to the process, which has to be running.
func (p *Process) Signal(sig os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(sig))
}

// Pause stops the process without ending it, until the test is over.
func (p *Process) Pause() {
	p.t.Helper()
	p.Signal(syscall.SIGSTOP)
	p.t.Cleanup(func() { _ = p.cmd.Process.Signal(syscall.SIGCONT) })
}

// AwaitExit waits for the process to end by itself and returns its exit code.
func (p *Process) AwaitExit() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(Patience):
		require.Fail(p.t, "still running", p.log)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Log is the end of what the process, and those before it with the same log, have printed; of a file that cannot be read,
// the error.
func (p *Process) Log() string {
	file, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Size() > 4000 {
		_, _ = file.Seek(-4000, io.SeekEnd)
	}
	text, _ := io.ReadAll(file)
	return string(text)
}
