package contract

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// program is a running program under test.
type program struct {
	metrics string // URL
	health  string // URL without a path
	log     string // file
	process *exec.Cmd
	release func() // of its ports
}

// startProgram starts the program and waits until it serves its health. Its
// kubeconfig and log are kept in folder, which it must not share.
func startProgram(folder string, kubeconfig []byte, args ...string) (*program, error) {
	file := filepath.Join(folder, "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	healthPort, releaseHealth, err := programtest.FindPort()
	if err != nil {
		return nil, err
	}
	metricsPort, releaseMetrics, err := programtest.FindPort()
	if err != nil {
		return nil, err
	}
	health, metrics := programtest.Local(healthPort), programtest.Local(metricsPort)
	p := &program{
		health: "http://" + health, metrics: "http://" + metrics + "/metrics", log: log.Name(),
		release: func() { releaseHealth(); releaseMetrics() },
	}
	p.process = exec.Command(shared.binary, append(args,
		"--zap-log-level=4", "--discovery-interval=1s",
		"--client-go-qps=1000", "--client-go-burst=1000", "--workers=5", "--events-qps=100",
		"--health-probe-bind-address="+health, "--metrics-address="+metrics)...)
	p.process.Env = append(os.Environ(), "KUBECONFIG="+file)
	p.process.Stdout, p.process.Stderr = log, log
	if err := p.process.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", shared.binary, err)
	}
	for range 600 {
		if connection, err := net.DialTimeout("tcp", health, time.Second); err == nil {
			_ = connection.Close()
			return p, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	_ = p.stop()
	return nil, fmt.Errorf("%s is not healthy after 60 s", shared.binary)
}

// stop stops the program and prints its log if that is not clean, or with
// CONTRACT_LOG set.
func (p *program) stop() error {
	defer p.release()
	_ = p.process.Process.Signal(os.Interrupt)
	err := p.process.Wait()
	if text, _ := os.ReadFile(p.log); err != nil || os.Getenv("CONTRACT_LOG") != "" {
		fmt.Fprintf(os.Stderr, "log of %s:\n%s\n", shared.binary, text)
	}
	if err != nil {
		return fmt.Errorf("%s did not stop cleanly: %w", shared.binary, err)
	}
	return nil
}
