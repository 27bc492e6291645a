package kvrocks_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// infoFile is an INFO reply as a real server gave it.
func infoFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "info", name))
	require.NoError(t, err)
	return string(b)
}

func TestParseInfoReadsWhatServersSay(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]kvrocks.NodeInfo{
		"redis-master.txt": {
			Version: "7.0.15", RunID: "636feda932b04033b809dce60b4acabfcf75fb8f", ProcessID: 31576,
			Uptime: 4 * time.Second, Port: 17001, Role: kvrocks.RoleMaster, Sequence: 50,
			Replicas: []kvrocks.Replica{{Host: "127.0.0.1", Port: 17002, Sequence: 50, Online: true}},
		},
		"redis-replica.txt": {
			Version: "7.0.15", RunID: "6a0bedc44120b7331a3b644294e96e52583d0888", ProcessID: 31583,
			Uptime: 4 * time.Second, Port: 17002, Role: kvrocks.RoleReplica, Sequence: 50,
			MasterHost: "127.0.0.1", MasterPort: 17001, LinkUp: true, LastIO: 2 * time.Second,
		},
		"redis-replica-link-down.txt": {
			Version: "7.0.15", RunID: "6a0bedc44120b7331a3b644294e96e52583d0888", ProcessID: 31583,
			Uptime: 5 * time.Second, Port: 17002, Role: kvrocks.RoleReplica, Sequence: 50,
			MasterHost: "127.0.0.1", MasterPort: 17001, LastIO: -time.Second,
		},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			got, err := kvrocks.ParseInfo(infoFile(t, file))
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestParseInfo(t *testing.T) {
	t.Parallel()
	const server = "# Server\r\nkvrocks_version:2.10.1\r\nredis_version:4.0.0\r\ntcp_port:6379\r\n"
	loading := kvrocks.NodeInfo{Version: "2.10.1", Port: 6379, Loading: true}
	for name, tc := range map[string]struct {
		text string
		want kvrocks.NodeInfo
	}{
		"kvrocks that loads":                              {server + "# Persistence\r\nloading:1\r\n", loading},
		"kvrocks that began to load between two sections": {server + "# Persistence\r\nloading:0\r\n", loading},
		"redis that loads says a role that is not yet true": {
			"redis_version:7.0.15\r\ntcp_port:6379\r\nloading:1\r\nrole:master\r\nmaster_repl_offset:0\r\n",
			kvrocks.NodeInfo{Version: "7.0.15", Port: 6379, Loading: true},
		},
		"master without replicas": {
			"role:master\r\nconnected_slaves:0\r\nmaster_repl_offset:12\r\n",
			kvrocks.NodeInfo{Role: kvrocks.RoleMaster, Sequence: 12},
		},
		"replica that is behind what its master offers": {
			"role:slave\nmaster_host:h\nmaster_port:1\nmaster_sync_in_progress:1\nslave_repl_offset:3\nmaster_repl_offset:9\n",
			kvrocks.NodeInfo{Role: kvrocks.RoleReplica, MasterHost: "h", MasterPort: 1, SyncInProgress: true, Sequence: 3},
		},
		"kvrocks replica that has not heard of its master": {
			"role:slave\nslave_repl_offset:0\nmaster_last_io_seconds_ago:1795359600\n",
			kvrocks.NodeInfo{Role: kvrocks.RoleReplica, LastIO: 1795359600 * time.Second},
		},
		"largest sequence": {
			"role:master\nmaster_repl_offset:18446744073709551615\n",
			kvrocks.NodeInfo{Role: kvrocks.RoleMaster, Sequence: 1<<64 - 1},
		},
		"kvrocks and redis replicas, and fields that look like one": {
			"role:master\nslave_priority:100\nslave_read_only:1\nslave:x\nslave1x:x\nmaster_repl_offset:9\n" +
				"slave0:ip=10.0.0.1,port=6379,offset=7,lag=2\nslave10:ip=h,port=1,state=wait_bgsave,offset=0,lag=0\n",
			kvrocks.NodeInfo{Role: kvrocks.RoleMaster, Sequence: 9, Replicas: []kvrocks.Replica{
				{Host: "10.0.0.1", Port: 6379, Sequence: 7, Online: true}, {Host: "h", Port: 1},
			}},
		},
		"an IPv6 master": {
			"role:slave\nmaster_host:fd00::1\nmaster_port:6379\nslave_repl_offset:1\n",
			kvrocks.NodeInfo{Role: kvrocks.RoleReplica, MasterHost: "fd00::1", MasterPort: 6379, Sequence: 1},
		},
		"numbers that nothing depends on may be nonsense": {
			"role:master\nuptime_in_seconds:long\nprocess_id:-\ntcp_port:99999\nmaster_repl_offset:1\n\n:\nx:\n",
			kvrocks.NodeInfo{Role: kvrocks.RoleMaster, Sequence: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := kvrocks.ParseInfo(tc.text)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestParseInfoRefusesToGuess(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":                       "",
		"an error":                      "-ERR no",
		"a role from the future":        "role:witness\nmaster_repl_offset:1\n",
		"a negative sequence":           "role:master\nmaster_repl_offset:-1\n",
		"a sequence that overflows":     "role:master\nmaster_repl_offset:18446744073709551616\n",
		"a sequence that is no number":  "role:slave\nslave_repl_offset:many\n",
		"a master without a sequence":   "role:master\n",
		"a replica without a sequence":  "role:slave\nmaster_repl_offset:5\n",
		"a replica's sequence is wrong": "role:master\nmaster_repl_offset:1\nslave0:ip=h,port=1,offset=x\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := kvrocks.ParseInfo(text)
			require.Error(t, err)
			assert.Equal(t, kvrocks.NodeInfo{}, got)
		})
	}
}

func TestReplicatesItself(t *testing.T) {
	t.Parallel()
	parked := kvrocks.NodeInfo{Role: kvrocks.RoleReplica, MasterHost: "127.0.0.1", MasterPort: 6379, Port: 6379}
	for name, tc := range map[string]struct {
		change func(*kvrocks.NodeInfo)
		want   bool
	}{
		"parked":          {func(*kvrocks.NodeInfo) {}, true},
		"by name":         {func(i *kvrocks.NodeInfo) { i.MasterHost = "localhost" }, true},
		"IPv6":            {func(i *kvrocks.NodeInfo) { i.MasterHost = "::1" }, true},
		"a master":        {func(i *kvrocks.NodeInfo) { i.Role = kvrocks.RoleMaster }, false},
		"another port":    {func(i *kvrocks.NodeInfo) { i.MasterPort = 6380 }, false},
		"another address": {func(i *kvrocks.NodeInfo) { i.MasterHost = "10.0.0.1" }, false},
		"no address":      {func(i *kvrocks.NodeInfo) { i.MasterHost = "" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := parked
			tc.change(&i)
			assert.Equal(t, tc.want, i.ReplicatesItself())
		})
	}
}

func FuzzParseInfo(f *testing.F) {
	for _, name := range []string{"redis-master.txt", "redis-replica.txt", "redis-replica-link-down.txt"} {
		f.Add(infoFile(f, name))
	}
	f.Add("role:slave\nslave0:ip=,port=,offset=1\nslave_repl_offset:1")
	f.Fuzz(func(t *testing.T, text string) {
		info, err := kvrocks.ParseInfo(text)
		if err != nil {
			assert.Equal(t, kvrocks.NodeInfo{}, info)
			return
		}
		if info.Loading {
			assert.Equal(t, kvrocks.RoleUnknown, info.Role)
			assert.Zero(t, info.Sequence)
		} else {
			assert.Contains(t, []kvrocks.Role{kvrocks.RoleMaster, kvrocks.RoleReplica}, info.Role)
		}
		assert.LessOrEqual(t, len(info.Replicas), strings.Count(text, "slave"))
		for _, p := range []int{info.Port, info.MasterPort} {
			assert.True(t, p >= 0 && p <= 65535, "port %d", p)
		}
		again, err := kvrocks.ParseInfo(text + "\nunknown_field:1\n")
		require.NoError(t, err)
		assert.Equal(t, info, again, "a field that is not known changes nothing")
	})
}

func BenchmarkParseInfo(b *testing.B) {
	for _, name := range []string{"redis-master.txt", "redis-replica.txt"} {
		b.Run(name, func(b *testing.B) {
			text := infoFile(b, name)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := kvrocks.ParseInfo(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
