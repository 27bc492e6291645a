// Package process starts programs that outlive their starter, and knows them again later.
//
// A started program is recorded in a pid file together with its start time, so that a recycled pid is never taken for
// it, and with a fingerprint of what it was started from, so that a changed configuration restarts it.
package process

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Spec is a program to run.
type Spec struct {
	Name string
	Path string
	Args []string
	// Env is added to a minimal environment (PATH, HOME).
	Env []string
	// Inputs are files whose content takes effect at the start only; a change restarts the program.
	Inputs []string
}

// Table is the set of programs recorded in one folder.
type Table struct {
	// PIDs and Logs are folders, created on demand.
	PIDs, Logs string
}

type record struct {
	PID         int    `json:"pid"`
	StartTicks  uint64 `json:"startTicks"`
	Fingerprint string `json:"fingerprint"`
}

// Ensure starts the program unless it already runs from the same inputs; it says whether it started it.
func (t Table) Ensure(spec Spec) (bool, error) {
	fingerprint, err := spec.fingerprint()
	if err != nil {
		return false, err
	}
	if rec, alive := t.lookup(spec.Name); alive {
		if rec.Fingerprint == fingerprint {
			return false, nil
		}
		if err := t.Stop(spec.Name, 10*time.Second); err != nil {
			return false, err
		}
	}
	return true, t.start(spec, fingerprint)
}

func (t Table) start(spec Spec, fingerprint string) error {
	for _, dir := range []string{t.PIDs, t.Logs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("create a folder for %s: %w", spec.Name, err)
		}
	}
	log, err := os.OpenFile(t.LogFile(spec.Name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", spec.Name, err)
	}
	defer func() { _ = log.Close() }()

	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, "/"
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/root"}, spec.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", spec.Name, err)
	}
	stat, err := readStat(cmd.Process.Pid)
	if err != nil {
		return fmt.Errorf("start %s: %w", spec.Name, err)
	}
	// Reaps the program if it ends while we are still here, so that it is seen as gone and not as a zombie.
	go func() { _ = cmd.Wait() }()

	data, err := json.Marshal(record{PID: cmd.Process.Pid, StartTicks: stat.startTicks, Fingerprint: fingerprint})
	if err != nil {
		return fmt.Errorf("record %s: %w", spec.Name, err)
	}
	if err := os.WriteFile(t.pidFile(spec.Name), data, 0o644); err != nil {
		return fmt.Errorf("record %s: %w", spec.Name, err)
	}
	return nil
}

// PID is the process id of a running program.
func (t Table) PID(name string) (int, bool) {
	rec, alive := t.lookup(name)
	return rec.PID, alive
}

// Names are the recorded programs, running or not.
func (t Table) Names() []string {
	files, _ := filepath.Glob(filepath.Join(t.PIDs, "*.pid"))
	names := make([]string, 0, len(files))
	for _, file := range files {
		base := filepath.Base(file)
		names = append(names, base[:len(base)-len(".pid")])
	}
	return names
}

// Stop asks the program to end, kills it after the grace period and forgets it. Stopping what does not run is fine.
func (t Table) Stop(name string, grace time.Duration) error {
	rec, alive := t.lookup(name)
	if alive {
		if err := syscall.Kill(rec.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop %s: %w", name, err)
		}
		if !t.waitGone(name, grace) {
			_ = syscall.Kill(rec.PID, syscall.SIGKILL)
			if !t.waitGone(name, 5*time.Second) {
				return fmt.Errorf("stop %s: pid %d survives SIGKILL", name, rec.PID)
			}
		}
	}
	if err := os.Remove(t.pidFile(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget %s: %w", name, err)
	}
	return nil
}

func (t Table) waitGone(name string, limit time.Duration) bool {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, alive := t.lookup(name); !alive {
			return true
		}
	}
	return false
}

// LogFile is where the program's output goes.
func (t Table) LogFile(name string) string { return filepath.Join(t.Logs, name+".log") }

// LogTail is the end of the program's output, for an error message.
func (t Table) LogTail(name string) string {
	data, err := os.ReadFile(t.LogFile(name))
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-8):], []byte("\n")))
}

func (t Table) pidFile(name string) string { return filepath.Join(t.PIDs, name+".pid") }

func (t Table) lookup(name string) (record, bool) {
	data, err := os.ReadFile(t.pidFile(name))
	if err != nil {
		return record{}, false
	}
	var rec record
	if json.Unmarshal(data, &rec) != nil {
		return record{}, false
	}
	stat, err := readStat(rec.PID)
	return rec, err == nil && stat.startTicks == rec.StartTicks && stat.state != 'Z'
}

func (s Spec) fingerprint() (string, error) {
	hash := sha256.New()
	info, err := os.Stat(s.Path)
	if err != nil {
		return "", fmt.Errorf("find the program %s: %w", s.Name, err)
	}
	hash.Write(fmt.Appendf(nil, "%s %d %s\n%q\n%q\n", s.Path, info.Size(), info.ModTime(), s.Args, s.Env))
	for _, input := range s.Inputs {
		data, err := os.ReadFile(input)
		if err != nil {
			return "", fmt.Errorf("read an input of %s: %w", s.Name, err)
		}
		hash.Write(fmt.Appendf(nil, "%s %x\n", input, sha256.Sum256(data)))
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Current says whether the program runs and was started from the same inputs.
func (t Table) Current(spec Spec) bool {
	fingerprint, err := spec.fingerprint()
	if err != nil {
		return false
	}
	rec, alive := t.lookup(spec.Name)
	return alive && rec.Fingerprint == fingerprint
}
