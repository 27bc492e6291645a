package process

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newTable(t *testing.T) Table {
	t.Helper()
	table := Table{PIDs: filepath.Join(t.TempDir(), "pids"), Logs: filepath.Join(t.TempDir(), "log")}
	t.Cleanup(func() {
		for _, name := range table.Names() {
			assert.NoError(t, table.Stop(name, time.Second))
		}
	})
	return table
}

func TestEnsureStartsOnceAndAgainWhenAnInputChanges(t *testing.T) {
	table := newTable(t)
	input := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(input, []byte("a"), 0o600))
	spec := Spec{Name: "sleep", Path: "/bin/sleep", Args: []string{"600"}, Inputs: []string{input}}

	started, err := table.Ensure(spec)
	require.NoError(t, err)
	assert.True(t, started)
	first, alive := table.PID("sleep")
	assert.True(t, alive)
	assert.True(t, table.Current(spec))

	started, err = table.Ensure(spec)
	require.NoError(t, err)
	assert.False(t, started)

	require.NoError(t, os.WriteFile(input, []byte("b"), 0o600))
	assert.False(t, table.Current(spec))
	started, err = table.Ensure(spec)
	require.NoError(t, err)
	assert.True(t, started)
	second, _ := table.PID("sleep")
	assert.NotEqual(t, first, second)
	_, err = readStat(first)
	assert.Error(t, err, "the first one has ended")
}

func TestStopKillsWhatDoesNotListenAndForgetsIt(t *testing.T) {
	table := newTable(t)
	ready := filepath.Join(t.TempDir(), "ready")
	_, err := table.Ensure(Spec{Name: "deaf", Path: "/bin/sh", Args: []string{"-c", "trap '' TERM; touch " + ready + "; while :; do sleep 0.1; done"}})
	require.NoError(t, err)
	require.Eventually(t, func() bool { _, err := os.Stat(ready); return err == nil }, 10*time.Second, 5*time.Millisecond)

	require.NoError(t, table.Stop("deaf", 50*time.Millisecond))
	_, alive := table.PID("deaf")
	assert.False(t, alive)
	assert.Empty(t, table.Names())
	assert.NoError(t, table.Stop("deaf", time.Millisecond), "a second time is fine")
}

func TestARecycledProcessIDIsNotTakenForTheProgram(t *testing.T) {
	table := newTable(t)
	_, err := table.Ensure(Spec{Name: "sleep", Path: "/bin/sleep", Args: []string{"600"}})
	require.NoError(t, err)
	pid, _ := table.PID("sleep")

	// The same pid with another start time.
	require.NoError(t, os.WriteFile(table.pidFile("other"), fmt.Appendf(nil, `{"pid":%d,"startTicks":1}`, pid), 0o600))
	_, alive := table.PID("other")
	assert.False(t, alive)
	require.NoError(t, table.Stop("other", time.Millisecond))
	_, alive = table.PID("sleep")
	assert.True(t, alive, "stopping the impostor left the process alone")
}

func TestDescendantsAreFoundAcrossGenerations(t *testing.T) {
	all := []Running{{PID: 1}, {PID: 10, PPID: 1}, {PID: 11, PPID: 10}, {PID: 12, PPID: 11}, {PID: 20, PPID: 1}}
	assert.Equal(t, []int{10, 11, 12}, Descendants(all, 10))
	assert.Empty(t, Descendants(all))
}

func TestListKnowsThisProcess(t *testing.T) {
	var found bool
	for _, p := range List() {
		found = found || p.PID == os.Getpid() && p.PPID == os.Getppid() && p.Args[0] == os.Args[0]
	}
	assert.True(t, found)
}
