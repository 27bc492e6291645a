package contract

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/internal/layout"
	"github.com/kvrocks/kvrocks-operator/local/internal/toolchain"
)

// patience is how long a condition may take that has no deadline of its own; real programs are slow on a busy machine.
const patience = 30 * time.Second

// programs are the binaries that the tests start. They are found once, before the tests.
var programs struct{ controller, kvrocks, etcd string }

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

// parallel tests run at a time: they wait most of the time, so more than there are processors.
const parallel = "5"

func run(m *testing.M) (code int, err error) {
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		return 0, err
	}
	folder, err := os.MkdirTemp("", "controller-contract-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if programs.controller, err = find("KVROCKS_CONTROLLER_BIN", folder, "kvrocks-controller", "../cmd"); err != nil {
		return 0, err
	}
	if programs.kvrocks, err = find("KVROCKS_BIN", folder, "kvrocks", "../../kvrocks/cmd"); err != nil {
		return 0, err
	}
	here, err := layout.New()
	if err != nil {
		return 0, err
	}
	tools, err := toolchain.Open(here.Source, here.Cache, os.Getenv("KUBEBUILDER_ASSETS"))
	if err != nil {
		return 0, err
	}
	if err := tools.Build(context.Background()); err != nil {
		return 0, err
	}
	programs.etcd = tools.Path("etcd")
	return m.Run(), nil
}

// find returns the real program's binary, or builds the stand-in.
func find(variable, folder, name, pkg string) (string, error) {
	if binary := os.Getenv(variable); binary != "" {
		return binary, nil
	}
	binary := filepath.Join(folder, name)
	build := exec.Command("go", "build", "-o", binary, pkg)
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build the stand-in %s: %w", name, err)
	}
	return binary, nil
}

// process is a program that runs until the test ends, unless it is stopped earlier.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
}

// launch starts a program and does not wait for it to be ready. Its output goes to the end of the file log.
func launch(t *testing.T, log, program string, args ...string) *process {
	t.Helper()
	return launchIn(t, log, os.Environ(), program, args...)
}

func launchIn(t *testing.T, log string, environ []string, program string, args ...string) *process {
	t.Helper()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	defer func() { _ = out.Close() }()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = out, out, environ
	require.NoError(t, cmd.Start())
	p := &process{t: t, cmd: cmd, log: log, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("end of %s:\n%s", filepath.Base(log), tail(log))
		}
	})
	return p
}

// kill ends the process as a crash does, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

func (p *process) signal(sig os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(sig))
}

// awaitExit waits for the process to end by itself and returns its exit code.
func (p *process) awaitExit() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		require.Fail(p.t, "still running", p.log)
	}
	return p.cmd.ProcessState.ExitCode()
}

func tail(path string) string {
	file, err := os.Open(path)
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

func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		// Below the ephemeral range, so that no outgoing connection takes it meanwhile.
		port := 20000 + rand.IntN(10000)
		ln, err := net.Listen("tcp", local(port))
		if err == nil {
			require.NoError(t, ln.Close())
			return port
		}
	}
	require.FailNow(t, "no free port")
	return 0
}

// local is a port of this machine as an address.
func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func awaitEqual[T comparable](t *testing.T, want T, get func() T, what string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	got := get()
	for ; got != want && time.Now().Before(deadline); got = get() {
		time.Sleep(20 * time.Millisecond)
	}
	require.Equal(t, want, got, "%s within %s", what, patience)
}
