package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// stat is the part of /proc/<pid>/stat that tells one process from another.
type stat struct {
	state byte
	ppid  int
	// startTicks is the start time in clock ticks since boot.
	startTicks uint64
}

func readStat(pid int) (stat, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, fmt.Errorf("look at pid %d: %w", pid, err)
	}
	// The command name may hold blanks and brackets; the fields after its last bracket are plain.
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("look at pid %d: short stat %q", pid, text)
	}
	ppid, err := strconv.Atoi(fields[1])
	if err != nil {
		return stat{}, fmt.Errorf("look at pid %d: %w", pid, err)
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("look at pid %d: %w", pid, err)
	}
	return stat{state: fields[0][0], ppid: ppid, startTicks: start}, nil
}

// Running is one process of the machine.
type Running struct {
	PID, PPID int
	Args      []string
}

// List is every process of the machine that is not a zombie.
func List() []Running {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	list := make([]Running, 0, len(dirs))
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		st, err := readStat(pid)
		if err != nil || st.state == 'Z' {
			continue
		}
		cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue
		}
		args := strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")
		list = append(list, Running{PID: pid, PPID: st.ppid, Args: args})
	}
	return list
}

// Descendants are the pids of the given processes and of everything they started, parents first.
func Descendants(all []Running, roots ...int) []int {
	children := map[int][]int{}
	for _, p := range all {
		children[p.PPID] = append(children[p.PPID], p.PID)
	}
	var found []int
	for queue := roots; len(queue) > 0; queue = queue[1:] {
		found = append(found, queue[0])
		queue = append(queue, children[queue[0]]...)
	}
	return found
}
