package server

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// redisVersion returns the Redis version that INFO and HELLO claim: another one since kvrocks 2.15 (apache/kvrocks #3286).
func (s *Server) redisVersion() string {
	const since = 15
	if s.cfg.Release.Since(since) {
		return "7.0.0"
	}
	return "4.0.0"
}

func (s *Server) mode() string {
	if s.cfg.Flag("cluster-enabled") {
		return "cluster"
	}
	return "standalone"
}

func (s *Server) cmdInfo(c *client, args []string) error {
	if len(args) > 2 {
		return errSyntax
	}
	section := "all"
	if len(args) == 2 {
		section = strings.ToLower(args[1])
	}
	c.WriteBulkString(s.info(section))
	return nil
}

// info returns the named section, or every one. Sections that read the data are missing while it is replaced.
func (s *Server) info(section string) string {
	sections := []struct {
		name      string
		readsData bool
		write     func(*strings.Builder)
	}{
		{"server", false, s.infoServer},
		{"clients", false, s.infoClients},
		{"memory", false, infoMemory},
		{"persistence", false, s.infoPersistence},
		{"stats", false, s.infoStats},
		{"replication", true, s.infoReplication},
		{"cpu", false, infoCPU},
		{"commandstats", false, s.infoCommands},
		{"cluster", false, s.infoCluster},
		{"keyspace", true, s.infoKeyspace},
	}
	var out strings.Builder
	for _, sec := range sections {
		if (section != "all" && section != sec.name) || (sec.readsData && s.loading.Load()) {
			continue
		}
		if out.Len() > 0 {
			out.WriteString("\r\n")
		}
		if sec.readsData {
			s.useData()
		}
		sec.write(&out)
	}
	return out.String()
}

func field(out *strings.Builder, name string, value any) { fmt.Fprintf(out, "%s:%v\r\n", name, value) }

func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}

func (s *Server) infoServer(out *strings.Builder) {
	out.WriteString("# Server\r\n")
	field(out, "version", s.cfg.Release)
	field(out, "kvrocks_version", s.cfg.Release)
	field(out, "redis_version", s.redisVersion())
	field(out, "git_sha1", "")
	field(out, "kvrocks_git_sha1", "")
	field(out, "redis_mode", s.mode())
	field(out, "kvrocks_mode", s.mode())
	field(out, "os", runtime.GOOS)
	field(out, "arch_bits", strconv.IntSize)
	field(out, "process_id", os.Getpid())
	field(out, "tcp_port", s.cfg.Text("port"))
	up := int(time.Since(s.started).Seconds())
	field(out, "uptime_in_seconds", up)
	field(out, "uptime_in_days", up/86400)
}

func (s *Server) infoClients(out *strings.Builder) {
	open, _ := s.clients.count()
	out.WriteString("# Clients\r\n")
	field(out, "maxclients", s.cfg.Text("maxclients"))
	field(out, "connected_clients", open)
	field(out, "monitor_clients", 0)
	field(out, "blocked_clients", 0)
}

func infoMemory(out *strings.Builder) {
	rss := residentBytes()
	out.WriteString("# Memory\r\n")
	field(out, "used_memory_rss", rss)
	field(out, "used_memory_rss_human", fmt.Sprintf("%.2fM", float64(rss)/(1<<20)))
	field(out, "used_memory_lua", 0)
	field(out, "used_memory_lua_human", "0B")
	field(out, "used_memory_startup", 0)
}

// residentBytes returns the memory of this process, 0 where the kernel does not say.
func residentBytes() int {
	statm, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(statm))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

func (s *Server) infoPersistence(out *strings.Builder) {
	out.WriteString("# Persistence\r\n")
	field(out, "loading", bit(s.loading.Load()))
	field(out, "bgsave_in_progress", 0)
	field(out, "last_bgsave_time", s.started.Unix())
	field(out, "last_bgsave_status", "ok")
	field(out, "last_bgsave_time_sec", -1)
}

func (s *Server) infoStats(out *strings.Builder) {
	_, total := s.clients.count()
	channels, patterns := s.pubsub.counts()
	st := &s.stats
	st.mu.Lock()
	defer st.mu.Unlock()
	out.WriteString("# Stats\r\n")
	field(out, "total_connections_received", total)
	field(out, "total_commands_processed", st.total)
	field(out, "instantaneous_ops_per_sec", 0)
	field(out, "sync_full", st.fullSyncs)
	field(out, "sync_partial_ok", st.psyncOK)
	field(out, "sync_partial_err", st.psyncError)
	field(out, "keyspace_hits", st.hits)
	field(out, "keyspace_misses", st.misses)
	field(out, "pubsub_channels", channels)
	field(out, "pubsub_patterns", patterns)
}

func (s *Server) infoReplication(out *strings.Builder) {
	out.WriteString("# Replication\r\n")
	seq := s.store.Sequence()
	if up := s.upstream.current(); up == nil {
		field(out, "role", "master")
	} else {
		state := up.state()
		field(out, "role", "slave")
		field(out, "master_host", up.host)
		field(out, "master_port", up.port)
		field(out, "master_link_status", map[bool]string{true: "up", false: "down"}[state == linkConnected])
		field(out, "master_sync_unrecoverable_error", map[bool]string{true: "yes", false: "no"}[state == linkError])
		field(out, "master_sync_in_progress", bit(state == linkFetching))
		field(out, "master_last_io_seconds_ago", time.Now().Unix()-up.lastIO.Load())
		field(out, "slave_repl_offset", seq)
		field(out, "slave_priority", s.cfg.Text("slave-priority"))
	}
	feeds := s.feeds.list()
	field(out, "connected_slaves", len(feeds))
	for i, f := range feeds {
		sent := min(f.sent(), seq)
		fmt.Fprintf(out, "slave%d:ip=%s,port=%d,offset=%d,lag=%d\r\n", i, f.client.ip(), f.client.port(), sent, seq-sent)
	}
	field(out, "master_repl_offset", seq)
}

func infoCPU(out *strings.Builder) {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use) // zeros are as good an answer
	out.WriteString("# CPU\r\n")
	field(out, "used_cpu_sys", float64(use.Stime.Sec)+float64(use.Stime.Usec)/1e6)
	field(out, "used_cpu_user", float64(use.Utime.Sec)+float64(use.Utime.Usec)/1e6)
}

func (s *Server) infoCommands(out *strings.Builder) {
	st := &s.stats
	st.mu.Lock()
	defer st.mu.Unlock()
	out.WriteString("# Commandstats\r\n")
	for _, name := range st.names() {
		c := st.calls[name]
		usec := uint64(c.time.Microseconds())
		fmt.Fprintf(out, "cmdstat_%s:calls=%d,usec=%d,usec_per_call=%d\r\n", name, c.calls, usec, usec/c.calls)
	}
}

func (s *Server) infoCluster(out *strings.Builder) {
	out.WriteString("# Cluster\r\n")
	field(out, "cluster_enabled", bit(s.cfg.Flag("cluster-enabled")))
}

func (s *Server) infoKeyspace(out *strings.Builder) {
	z := &s.sizes
	z.mu.Lock()
	defer z.mu.Unlock()
	out.WriteString("# Keyspace\r\n")
	if z.at.IsZero() {
		out.WriteString("# WARN: DBSIZE SCAN never performed yet\r\n")
	} else {
		out.WriteString("# Last DBSIZE SCAN time: " + z.at.Format("Mon Jan _2 15:04:05 2006") + "\r\n")
	}
	fmt.Fprintf(out, "db0:keys=%d,expires=%d,avg_ttl=%d,expired=%d\r\n", z.keys, z.expires, z.avgTTL, z.expired)
	field(out, "sequence", s.store.Sequence())
	field(out, "used_db_size", s.store.Size())
	field(out, "max_db_size", s.cfg.Number("max-db-size")<<30)
	out.WriteString("used_percent: 0%\r\n")
	s.infoDisk(out)
}
