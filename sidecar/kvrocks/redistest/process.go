package redistest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for a condition. It is generous because the machine may be
// busy with other tests; a healthy server needs a few hundredths of it.
const patience = 20 * time.Second

// install is what a missing program's message says.
const install = "apt-get install redis-server redis-sentinel"

// Process is one running server.
type Process struct {
	// Port is the loopback port it listens on, the same after a restart.
	Port int
	// Dir holds its config file, data and log.
	Dir string
	// Password is what it requires; empty for none.
	Password string

	argv []string
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
}

// Addr is host:port.
func (p *Process) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port)) }

// newProcess writes the config and registers the end of the process with the test.
func newProcess(t testing.TB, binary string, config []string) *Process {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: starts " + binary)
	}
	path, err := exec.LookPath(binary)
	if err != nil {
		t.Fatalf("%s is needed by this test: %s (%v)", binary, install, err)
	}
	p := &Process{Port: freePort(t), Dir: t.TempDir()}
	file := filepath.Join(p.Dir, "server.conf")
	config = append(config, "port "+strconv.Itoa(p.Port), "bind 127.0.0.1", "dir "+p.Dir)
	if err := os.WriteFile(file, []byte(strings.Join(config, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.argv = []string{path, file}
	t.Cleanup(func() { p.Kill(t) })
	return p
}

// AddLine adds a line to the config file, for the next start.
func (p *Process) AddLine(t testing.TB, line string) {
	t.Helper()
	file := p.argv[len(p.argv)-1]
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, line+"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freePort asks the kernel for a port that nobody uses now.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// Launch starts the process without waiting for it to serve: the first time or again
// after Kill or Stop, with the same port, config and data.
func (p *Process) Launch(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p.cmd = exec.Command(p.argv[0], p.argv[1:]...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.Dir, log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	p.done = done
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait() // the exit code of a killed server says nothing
		close(done)
	}(p.cmd)
}

// Restart is Launch and waiting until it serves.
func (p *Process) Restart(t testing.TB) {
	t.Helper()
	p.Launch(t)
	Await(t, "the server to answer PING\n"+p.argv[0], func() bool {
		select {
		case <-p.done:
			t.Fatalf("%s ended:\n%s", p.argv[0], p.Log())
		default:
		}
		return p.answersPing()
	})
}

// answersPing speaks to the port directly: a client library is what is under test.
func (p *Process) answersPing() bool {
	c, err := net.DialTimeout("tcp", p.Addr(), time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := fmt.Fprint(c, "*1\r\n$4\r\nPING\r\n"); err != nil {
		return false
	}
	reply, _ := bufio.NewReader(c).ReadString('\n')
	return strings.HasPrefix(reply, "+PONG") || strings.HasPrefix(reply, "-NOAUTH")
}

// Pause stops the process without ending it: it stays connected and silent. The signal
// takes effect in each thread by itself, so Pause waits for the last of them.
func (p *Process) Pause(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGSTOP)
	Await(t, "every thread to stop", func() bool {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.cmd.Process.Pid))
		for _, thread := range threads {
			if b, err := os.ReadFile(thread); err == nil && !stopped(string(b)) {
				return false
			}
		}
		return len(threads) > 0
	})
}

// stopped reads the state of /proc/<pid>/stat, which follows the name in parentheses.
func stopped(stat string) bool {
	return strings.HasPrefix(stat[strings.LastIndexByte(stat, ')')+1:], " T")
}

// Resume undoes Pause.
func (p *Process) Resume(t testing.TB) { p.signal(t, syscall.SIGCONT) }

// Stop ends the process in its own orderly way.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	p.wait(t)
}

// Kill ends the process at once; of a process that has ended it is a no-op.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	select {
	case <-p.done:
		return
	default:
	}
	_ = p.cmd.Process.Kill() // it may have ended just now
	p.wait(t)
}

func (p *Process) wait(t testing.TB) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Errorf("%s (pid %d) did not end", p.argv[0], p.cmd.Process.Pid)
	}
}

func (p *Process) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("signal %v to %s: %v", s, p.argv[0], err)
	}
}

// Do runs one command through redis-cli and returns what it printed. It fails the test
// when the server answers with an error.
func (p *Process) Do(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command("redis-cli", append([]string{"-e", "-p", strconv.Itoa(p.Port)}, args...)...)
	cmd.Env = append(os.Environ(), "REDISCLI_AUTH="+p.Password)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Log is what the process printed so far.
func (p *Process) Log() string {
	b, _ := os.ReadFile(p.logFile())
	return string(b)
}

func (p *Process) logFile() string { return filepath.Join(p.Dir, "server.log") }

// Await waits for a condition and fails the test when it does not come.
func Await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if condition() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}
