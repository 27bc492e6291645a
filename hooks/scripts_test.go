package hooks

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/kvrocksconf"
	"github.com/kvrocks/kvrocks-operator/hooks/podstate"
)

// The scripts run in images that we do not make, so they are tried with several POSIX shells. Paths of the
// pod are replaced by those of a temporary directory; the programs are stand-ins that show how they were called.
type sandbox struct {
	t     *testing.T
	shell []string
	root  string
	env   []string
}

func inEveryShell(t *testing.T, test func(t *testing.T, s sandbox)) {
	t.Helper()
	for name, shell := range map[string][]string{"sh": {"/bin/sh"}, "busybox": {"busybox", "sh"}, "bash": {"bash", "--posix"}} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "sh" {
				t.Skip("-short: in one shell only")
			}
			path, err := exec.LookPath(shell[0])
			if err != nil {
				t.Skip(err)
			}
			root := t.TempDir()
			for _, dir := range []string{"bin", "etc/kvrocks", "etc/kvrocks-auth", "var/lib/kvrocks", "data"} {
				require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
			}
			s := sandbox{
				t: t, shell: append([]string{path}, shell[1:]...), root: root,
				env: []string{"PATH=" + filepath.Join(root, "bin") + ":/usr/bin:/bin", "POD_NAME=demo-0", "POD_IP=10.1.2.3", "PORT=6379"},
			}
			s.write("etc/kvrocks/auth.sh", s.inside(authText))
			test(t, s)
		})
	}
}

func (s sandbox) write(path, text string) {
	s.t.Helper()
	mode := os.FileMode(0o644)
	if strings.HasPrefix(path, "bin/") {
		mode = 0o755
	}
	require.NoError(s.t, os.WriteFile(filepath.Join(s.root, path), []byte(text), mode))
}

func (s sandbox) read(path string) string {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.root, path))
	require.NoError(s.t, err)
	return string(raw)
}

// inside is a script with the paths of a pod turned into those of the sandbox.
func (s sandbox) inside(script string) string {
	return strings.NewReplacer(
		"/dev/termination-log", s.root+"/message", "/etc/kvrocks", s.root+"/etc/kvrocks", "/var/lib/kvrocks", s.root+"/var/lib/kvrocks",
		"=/data/", "="+s.root+"/data/").Replace(script)
}

func (s sandbox) command(ctx context.Context, script string, args ...string) *exec.Cmd {
	s.write("script.sh", s.inside(script))
	command := exec.CommandContext(ctx, s.shell[0], append(append(s.shell[1:len(s.shell):len(s.shell)], filepath.Join(s.root, "script.sh")), args...)...)
	command.Env = s.env
	return command
}

func (s sandbox) run(script string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	out, err := s.command(ctx, script, args...).CombinedOutput()
	return string(out), err
}

func TestStartComposesTheConfiguration(t *testing.T) {
	inEveryShell(t, func(t *testing.T, s sandbox) {
		s.write("bin/kvrocks", "#!/bin/sh\necho started \"$@\"\n")
		s.write("etc/kvrocks/kvrocks.conf", "port 6379\nuse-rsid-psync yes\n")
		s.write("etc/kvrocks/demo-0", "10.96.0.7")
		s.write("etc/kvrocks-auth/password", `a"b\c&d/e`)
		s.write("var/lib/kvrocks/nodes.conf", "a saved topology")
		s.write("var/lib/kvrocks/kvrocks.conf", "slaveof \"no one\"\n")

		out, err := s.run(startText)
		require.NoError(t, err, out)
		assert.Equal(t, "started -c "+s.root+"/var/lib/kvrocks/kvrocks.conf\n", out)
		assert.Equal(t, `port 6379
use-rsid-psync yes
replica-announce-ip 10.96.0.7
replica-announce-port 6379
slaveof 127.0.0.1 6379
requirepass "a\"b\\c&d/e"
masterauth "a\"b\\c&d/e"
`, s.read("var/lib/kvrocks/kvrocks.conf"))
		assert.Equal(t, "a saved topology", s.read("var/lib/kvrocks/nodes.conf.last"))
		assert.NoFileExists(t, filepath.Join(s.root, "var/lib/kvrocks/nodes.conf"))
		info, err := os.Stat(filepath.Join(s.root, "var/lib/kvrocks/kvrocks.conf"))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds the password")
	})
}

// An editor leaves LF or CRLF behind a password; every script that reads it drops them, as the sidecar does.
func TestScriptsDropLineEndsOfThePassword(t *testing.T) {
	for _, file := range []string{"pw", "pw\n", "pw\r\n", "pw\r\n\r\n", "pw\n\r\n"} {
		inEveryShell(t, func(t *testing.T, s sandbox) {
			s.write("etc/kvrocks-auth/password", file)
			s.write("etc/kvrocks/kvrocks.conf", "port 6379\n")
			s.write("etc/kvrocks/demo-0", "10.96.0.7")
			s.write("bin/kvrocks", "#!/bin/sh\necho \"environment [${REDISCLI_AUTH-}]\"\n")
			s.write("bin/redis-sentinel", "#!/bin/sh\necho \"environment [${REDISCLI_AUTH-}]\"\n")
			s.write("bin/redis-cli", "#!/bin/sh\necho \"PONG\"\necho \"[$REDISCLI_AUTH]\" >"+s.root+"/auth\n")

			for script, conf := range map[string]string{startText: "var/lib/kvrocks/kvrocks.conf", sentinelText: "data/sentinel.conf"} {
				out, err := s.run(script)
				require.NoError(t, err, out)
				assert.Equal(t, "environment []\n", out, "the process needs no password in its environment")
				assert.Contains(t, s.read(conf), "requirepass \"pw\"\n")
			}
			assert.Contains(t, s.read("var/lib/kvrocks/kvrocks.conf"), "masterauth \"pw\"\n")
			out, err := s.run(probeText, "ready")
			require.NoError(t, err, out)
			assert.Equal(t, "[pw]\n", s.read("auth"))
		})
	}
}

func TestAVolumeRecallsItsCluster(t *testing.T) {
	const saved = `version 17
id self
node first 10.96.0.1 6379 master -  0-5460 16383
node self 10.96.0.2 6379 slave first
node empty 10.96.0.3 6379 master -
node third 10.96.0.4 6379 master -  5461-16382
`
	const replica = "version 17\nid self\nmaster first\nslots 0-5460 16383\nshards 2\n"
	for what, test := range map[string]struct{ now, last, want string }{
		"as a replica":                              {now: saved, want: replica},
		"as a master":                               {now: strings.Replace(saved, "id self", "id third", 1), want: "version 17\nid third\nmaster third\nslots 5461-16382\nshards 2\n"},
		"as a master without slots":                 {now: strings.Replace(saved, "id self", "id empty", 1), want: "version 17\nid empty\nmaster empty\nslots \nshards 2\n"},
		"as a replica that is down":                 {now: strings.Replace(saved, "slave first", "slave,fail first", 1), want: replica},
		"as a replica of nobody":                    {now: "version 17\nid self\nnode self h 1 slave gone\n", want: "version 17\nid self\nmaster gone\nslots \nshards 0\n"},
		"from before its last start":                {last: saved, want: replica},
		"from the newer of two files":               {now: saved, last: "version 3\nid old\nnode old h 1 master - 7\n", want: replica},
		"from the one that is whole":                {now: "", last: saved, want: replica},
		"and nothing when it is new":                {want: ""},
		"and nothing when it is in no layout":       {now: "version 17\nid self\n", want: ""},
		"and nothing that Kubernetes would shorten": {now: saved + "node self h 1 master - " + strings.Repeat(" 12345", 700) + "\n", want: ""},
	} {
		t.Run(what, func(t *testing.T) {
			inEveryShell(t, func(t *testing.T, s sandbox) {
				s.write("message", "")
				if test.now != "" || strings.Contains(what, "whole") {
					s.write("var/lib/kvrocks/nodes.conf", test.now)
				}
				if test.last != "" {
					s.write("var/lib/kvrocks/nodes.conf.last", test.last)
				}
				out, err := s.run(recallText)
				require.NoError(t, err, out)
				volume, layout, _ := strings.Cut(s.read("message"), "\n")
				assert.Regexp(t, "^volume [-0-9a-f]{36}$", volume)
				assert.Equal(t, test.want, layout)
			})
		})
	}
}

func TestAVolumeKeepsItsIdentity(t *testing.T) {
	inEveryShell(t, func(t *testing.T, s sandbox) {
		tell := func() string {
			s.write("message", "")
			out, err := s.run(recallText)
			require.NoError(t, err, out)
			return s.read("message")
		}
		first := tell()
		assert.Regexp(t, "^volume [-0-9a-f]{36}\n$", first)
		assert.Equal(t, first, tell())
		s.write("var/lib/kvrocks/volume.id", "")
		assert.NotEqual(t, first, tell(), "a file that was cut short is none")
		require.NoError(t, os.Remove(filepath.Join(s.root, "var/lib/kvrocks/volume.id")))
		require.NoError(t, os.Mkdir(filepath.Join(s.root, "var/lib/kvrocks/volume.id.new"), 0o700))
		assert.Equal(t, "\n", tell(), "a volume that cannot be written to does not keep kvrocks from starting")
	})
}

func TestStartWaitsForTheAddress(t *testing.T) {
	inEveryShell(t, func(t *testing.T, s sandbox) {
		s.write("bin/kvrocks", "#!/bin/sh\necho started\n")
		s.write("etc/kvrocks/kvrocks.conf", "port 6379\n")
		s.write("etc/kvrocks/demo-0", "")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		command := s.command(ctx, startText)
		out, err := command.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan())
		assert.Contains(t, lines.Text(), "waiting for ")
		s.write("etc/kvrocks/demo-0", "10.96.0.7")
		for lines.Scan() && lines.Text() != "started" {
			assert.Contains(t, lines.Text(), "waiting for ")
		}
		require.NoError(t, command.Wait())
		assert.NotContains(t, s.read("var/lib/kvrocks/kvrocks.conf"), "requirepass")
		assert.Contains(t, s.read("var/lib/kvrocks/kvrocks.conf"), "replica-announce-ip 10.96.0.7\n")
	})
}

func TestAMasterWithReplicasIsKeptUntilItHasHandedOver(t *testing.T) {
	for what, test := range map[string]struct {
		info   string // what INFO says first; then it follows another node
		asks   int
		drains bool
	}{
		"a master with replicas":       {"role:master\nconnected_slaves:2\n", 2, true},
		"writes are stopped":           {"role:slave\nmaster_host:127.0.0.1\nmaster_port:1\nconnected_slaves:2\n", 2, true},
		"a master alone":               {"role:master\nconnected_slaves:0\n", 1, false},
		"a replica":                    {"role:slave\nmaster_host:10.0.0.1\nmaster_port:6379\nconnected_slaves:0\n", 1, true},
		"a replica with replicas":      {"role:slave\nmaster_host:10.0.0.1\nmaster_port:6379\nconnected_slaves:1\n", 1, true},
		"a node that was never placed": {"role:slave\nmaster_host:127.0.0.1\nmaster_port:6379\nconnected_slaves:1\n", 1, false},
		"no answer":                    {"", 1, false},
	} {
		t.Run(what, func(t *testing.T) {
			inEveryShell(t, func(t *testing.T, s sandbox) {
				s.write("bin/sleep", "#!/bin/sh\n") // seconds are counted, not waited for
				s.write("info", test.info)
				s.write("announced", "10.96.0.7")
				s.write("bin/redis-cli", "#!/bin/sh\ncase \"$*\" in *CONFIG*) echo >>"+s.root+"/configs; cat "+s.root+"/announced; exit;; esac\n"+
					"echo >>"+s.root+"/asks\ncat "+s.root+"/info\n"+
					"printf 'role:slave\\nmaster_host:10.0.0.1\\nconnected_slaves:0\\n' >"+s.root+"/info\n")
				s.env = append(s.env, "DRAIN_SECONDS=1")
				out, err := s.run(stopText)
				require.NoError(t, err, out)
				assert.Equal(t, test.asks, strings.Count(s.read("asks"), "\n"))
				assert.Equal(t, test.drains, s.read("configs") == "\n\n", "it asks again in each second of draining")

				s.write("announced", "127.0.0.1") // the instance is being deleted
				s.write("configs", "")
				out, err = s.run(stopText)
				require.NoError(t, err, out)
				assert.Equal(t, "\n", s.read("configs"))
			})
		})
	}
}

func TestProbesCompareTheText(t *testing.T) {
	for answer, want := range map[string]struct{ live, ready bool }{
		"PONG": {true, true},
		"LOADING kvrocks is restoring the db from backup": {true, false},
		"NOAUTH Authentication required.":                 {true, true},
		"ERR anything":                                    {true, false},
		"":                                                {false, false},
	} {
		t.Run(answer, func(t *testing.T) {
			inEveryShell(t, func(t *testing.T, s sandbox) {
				s.write("bin/redis-cli", "#!/bin/sh\necho \"$@ auth=${REDISCLI_AUTH-none}\" >"+s.root+"/called\necho 'connection details' >&2\nprintf '%s\\n\\n' '"+answer+"'\n")
				out, err := s.run(probeText, "live")
				assert.Equal(t, want.live, err == nil, out)
				out, err = s.run(probeText, "ready")
				assert.Equal(t, want.ready, err == nil, out)
				assert.Equal(t, "-h 127.0.0.1 -p 6379 PING auth=none\n", s.read("called"))

				s.write("etc/kvrocks-auth/password", "s3cret")
				_, _ = s.run(probeText, "live")
				assert.Equal(t, "-h 127.0.0.1 -p 6379 PING auth=s3cret\n", s.read("called"), "the password is in no argument")
			})
		})
	}
}

func TestASentinelKeepsItsFileOverARestart(t *testing.T) {
	inEveryShell(t, func(t *testing.T, s sandbox) {
		s.env = append(s.env, "PORT=26379")
		s.write("bin/redis-sentinel", "#!/bin/sh\necho started \"$@\"\n")
		s.write("etc/kvrocks-auth/password", "s3cret")
		out, err := s.run(sentinelText)
		require.NoError(t, err, out)
		assert.Equal(t, "started "+s.root+"/data/sentinel.conf\n", out)
		text := s.read("data/sentinel.conf")
		assert.Contains(t, text, "port 26379\n")
		assert.Contains(t, text, "sentinel announce-ip 10.1.2.3\n")
		assert.Contains(t, text, "requirepass \"s3cret\"\n")

		s.write("data/sentinel.conf", text+"sentinel myid 0123\n")
		_, err = s.run(sentinelText)
		require.NoError(t, err)
		assert.Contains(t, s.read("data/sentinel.conf"), "sentinel myid 0123\n")

		live := "user default on #11507a ~* &* +@all\nsentinel monitor orders 10.0.0.1 6379 2\nsentinel auth-pass orders s3cret!\nsentinel sentinel-pass s3cret\n"
		s.write("data/sentinel.conf", text+"sentinel myid 0123\n"+live)
		_, err = s.run(sentinelText)
		require.NoError(t, err)
		assert.Contains(t, s.read("data/sentinel.conf"), live, "what it was given live stays")

		// It would not start with any of these.
		s.write("etc/kvrocks-auth/password", "s3\"cr\\et\r\n")
		for _, line := range []string{`auth-pass orders a"b`, `auth-pass orders a\b`, `auth-pass orders a b`, `sentinel-pass it's`, `sentinel-pass a b`} {
			s.write("data/sentinel.conf", text+"sentinel myid 0123\nsentinel auth-pass other fine\nsentinel "+line+"\n")
			_, err = s.run(sentinelText)
			require.NoError(t, err)
			fresh := s.read("data/sentinel.conf")
			assert.Contains(t, fresh, "sentinel myid 0123\n", "its peers know it by its id")
			assert.Contains(t, fresh, "requirepass \"s3\\\"cr\\\\et\"\n")
			assert.NotContains(t, fresh, "auth-pass")
			assert.NotContains(t, fresh, "sentinel-pass")
		}
	})
}

// freePort is a port of loopback that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return port
}

// background runs a script until the test ends.
func (s sandbox) background(script string) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	command := s.command(ctx, script)
	require.NoError(s.t, command.Start())
	s.t.Cleanup(func() {
		cancel()
		_ = command.Wait()
	})
}

// The kvrocks that KVROCKS_BIN names boots from what the hooks and the script write, as a read-only replica of itself.
func TestKvrocksStartsFromTheScript(t *testing.T) {
	binary := os.Getenv("KVROCKS_BIN")
	if binary == "" {
		t.Skip("KVROCKS_BIN is not set; make unit sets it")
	}
	require.FileExists(t, binary)
	inEveryShell(t, func(t *testing.T, s sandbox) {
		cr := example(t, "legacy/standard.yaml") // the one with the most settings
		cr.Spec.KVRocksConfig["rocksdb.block_size"] = "8192"
		cr.Spec.KVRocksConfig["compact-cron"] = "0 3 * * *"
		cr.Spec.KVRocksConfig["profiling-sample-commands"] = "get,set"
		cr.Spec.KVRocksConfig["port"] = v1alpha1.ConfigValue(freePort(t))
		spec := newWorld(t, cr).cr.Spec.WithDefaults()
		require.Empty(t, kvrocksconf.Check(spec))
		require.NoError(t, os.Symlink(binary, filepath.Join(s.root, "bin/kvrocks")))
		s.env = append(s.env, "PORT="+string(cr.Spec.KVRocksConfig["port"]))
		s.write("etc/kvrocks/kvrocks.conf", s.inside(kvrocksconf.Text(spec, cr.MonitoredBy() != "")))
		s.write("etc/kvrocks/demo-0", "127.0.0.1")
		s.write("etc/kvrocks-auth/password", `s3"cret\`)
		s.background(startText)
		require.Eventually(t, func() bool { return s.probe("ready") == nil }, 30*time.Second, 50*time.Millisecond)

		ask := func(args ...string) string {
			command := exec.CommandContext(t.Context(), "redis-cli", append([]string{"-p", string(cr.Spec.KVRocksConfig["port"])}, args...)...)
			command.Env = append(s.env, `REDISCLI_AUTH=s3"cret\`)
			out, err := command.CombinedOutput()
			require.NoError(t, err, string(out))
			return string(out)
		}
		assert.Contains(t, ask("INFO", "replication"), "role:slave")
		assert.Contains(t, ask("SET", "a", "b"), "READONLY")
		restart := kvrocksconf.RestartText(spec)
		for setting, value := range kvrocksconf.Settings(spec) {
			assert.Equal(t, s.inside(setting+"\n"+value+"\n"), ask("CONFIG", "GET", setting))
			if strings.Contains("\n"+restart, "\n"+setting+" ") {
				assert.Contains(t, ask("CONFIG", "SET", setting, value), "ERR", setting)
			} else {
				assert.Equal(t, "OK\n", ask("CONFIG", "SET", setting, value), setting)
			}
		}
	})
}

func TestSentinelBefore62SaysWhatIsWrong(t *testing.T) {
	inEveryShell(t, func(t *testing.T, s sandbox) {
		for version, fine := range map[string]bool{
			"2.8.4": false, "5.0.14": false, "6.0.16": false, "6.1.240": false, "6.2.0": true, "7.0.15": true, "8.4.0": true, "10.0.1": true,
		} {
			s.write("bin/redis-sentinel", "#!/bin/sh\nif [ $1 = --version ]; then echo 'Redis server v="+version+" sha=00000000:0'; else echo started; fi\n")
			s.write("message", "")
			out, err := s.run(sentinelText)
			if fine {
				require.NoError(t, err, out)
				assert.Equal(t, "started\n", out, version)
				assert.Empty(t, s.read("message"))
				continue
			}
			require.Error(t, err, version)
			assert.Contains(t, s.read("message"), "is too old: it must be 6.2 or later; change spec.image")
			assert.Equal(t, s.read("message"), out)
		}
	})
}

// An image of Valkey may have no program of Redis' names.
func TestScriptsRunTheProgramsOfValkey(t *testing.T) {
	inEveryShell(t, func(t *testing.T, s sandbox) {
		s.bareImage()
		s.write("etc/kvrocks-auth/password", "pw")
		out, err := s.run(sentinelText)
		require.Error(t, err)
		assert.Equal(t, "the image has neither redis-sentinel nor valkey-sentinel; change spec.image\n", out)
		assert.Equal(t, out, s.read("message"))

		s.write("bin/valkey-sentinel", "#!/bin/sh\nif [ $1 = --version ]; then echo 'Valkey server v=8.1.1 sha=00000000:0'; else echo started \"$@\"; fi\n")
		out, err = s.run(sentinelText)
		require.NoError(t, err, out)
		assert.Equal(t, "started "+s.root+"/data/sentinel.conf\n", out)

		s.write("bin/valkey-cli", "#!/bin/sh\necho \"$@ $VALKEYCLI_AUTH\" >>"+s.root+"/called\necho PONG\n")
		out, err = s.run(probeText, "ready")
		require.NoError(t, err, out)
		s.write("bin/sleep", "#!/bin/sh\n")
		_, err = s.run(stopText)
		require.NoError(t, err)
		assert.Equal(t, "-h 127.0.0.1 -p 6379 PING pw\n-h 127.0.0.1 -p 6379 CONFIG GET replica-announce-ip pw\n"+
			"-h 127.0.0.1 -p 6379 INFO replication pw\n", s.read("called"))
	})
}

// bareImage leaves no programs to the scripts but those that every image has.
func (s sandbox) bareImage() {
	for _, program := range []string{"cat", "tr", "sed", "mv", "rm", "tee", "grep"} {
		path, err := exec.LookPath(program)
		require.NoError(s.t, err)
		require.NoError(s.t, os.Symlink(path, filepath.Join(s.root, "bin", program)))
	}
	s.env[0] = "PATH=" + filepath.Join(s.root, "bin")
}

func TestWhatAContainerSaysAtItsEndIsToldOfItsPod(t *testing.T) {
	pod := &corev1.Pod{}
	pod.Name = "watch-0"
	c := corev1.ContainerStatus{Name: "sentinel"}
	c.State.Waiting = &corev1.ContainerStateWaiting{Reason: podstate.ReasonCrashLoop}
	c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
		Reason: "Error", ExitCode: 1, Message: "redis-sentinel 6.0 is too old: it must be 6.2 or later; change spec.image\n",
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{c}
	assert.Equal(t, "the pod watch-0 cannot start: CrashLoopBackOff: its container sentinel ends with Error, exit code 1: "+
		"redis-sentinel 6.0 is too old: it must be 6.2 or later; change spec.image", podstate.Problem(pod))
}

// A real redis-sentinel takes the file that the script writes.
func TestARealSentinelStartsFromTheScript(t *testing.T) {
	_, err := exec.LookPath("redis-sentinel")
	require.NoError(t, err, "the tests need redis-sentinel and redis-cli (Debian: redis-sentinel, redis-tools)")
	port := freePort(t)
	inEveryShell(t, func(t *testing.T, s sandbox) {
		s.env = append(s.env, "PORT="+port, "POD_IP=127.0.0.1")
		s.write("etc/kvrocks-auth/password", `s3"cret\`)
		s.background(strings.ReplaceAll(sentinelText, "dir /data", "dir "+s.root+"/data"))
		assert.Eventually(t, func() bool {
			return s.probe("ready") == nil
		}, 20*time.Second, 50*time.Millisecond)
		out, err := exec.CommandContext(t.Context(), "redis-cli", "-p", port, "PING").CombinedOutput()
		require.NoError(t, err)
		assert.Contains(t, string(out), "NOAUTH", "the password is in force")
		s.write("etc/kvrocks-auth/password", "wrong")
		require.NoError(t, s.probe("live"))
		require.NoError(t, s.probe("ready"), "a changed password reaches the node before the file")
	})
}

// probe runs probe.sh beside a running script.
func (s sandbox) probe(what string) error {
	s.t.Helper()
	command := exec.CommandContext(s.t.Context(), s.shell[0], append(s.shell[1:len(s.shell):len(s.shell)], "-c", s.inside(probeText), "probe.sh", what)...)
	command.Env = s.env
	return command.Run()
}
