package kvrocks

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Sentinel is the administrative connection to one sentinel.
type Sentinel struct{ conn *conn }

// NewSentinel returns the sentinel at addr, host:port. It does not dial yet.
func NewSentinel(addr string, o Options) *Sentinel { return &Sentinel{conn: newConn(addr, o)} }

// Addr is the address that the sentinel was made with.
func (s *Sentinel) Addr() string { return s.conn.addr }

// Close ends the connection; the sentinel cannot be used again.
func (s *Sentinel) Close() error { return s.conn.close() }

// Ping sends PING.
func (s *Sentinel) Ping(ctx context.Context) error { return s.conn.ping(ctx) }

// MyID is the sentinel's run id, under which its peers list it. It is kept in the
// sentinel's config file, so a sentinel that lost the file has a new one.
func (s *Sentinel) MyID(ctx context.Context) (string, error) {
	var id string
	err := s.conn.run(ctx, operation{name: "SENTINEL MYID"}, func(ctx context.Context) (err error) {
		id, err = s.conn.client.Do(ctx, "SENTINEL", "MYID").Text()
		return err
	})
	return id, err
}

// SentinelStats is how a sentinel's process is.
type SentinelStats struct {
	// CPU is how much processor time it has used since it was started.
	CPU time.Duration
	// Tilt: its clock or its scheduling was disturbed a moment ago, and it calls nothing down for 30 s.
	Tilt bool
}

// Stats asks for them with one INFO.
func (s *Sentinel) Stats(ctx context.Context) (SentinelStats, error) {
	var stats SentinelStats
	err := s.conn.run(ctx, operation{name: "INFO"}, func(ctx context.Context) error {
		text, err := s.conn.client.Info(ctx).Result()
		if err != nil {
			return err
		}
		stats.CPU, err = parseCPU(text)
		stats.Tilt = strings.Contains(text, "\nsentinel_tilt:1")
		return err
	})
	return stats, err
}

// Masters lists everything that the sentinel monitors, with one command.
func (s *Sentinel) Masters(ctx context.Context) ([]MonitoredMaster, error) {
	maps, err := s.list(ctx, "SENTINEL MASTERS", "SENTINEL", "MASTERS")
	return parseAll(maps, parseMaster), err
}

// Master is one of Masters. ErrNoSuchMaster.
func (s *Sentinel) Master(ctx context.Context, name string) (MonitoredMaster, error) {
	var fields map[string]string
	err := s.conn.run(ctx, operation{name: "SENTINEL MASTER"}, func(ctx context.Context) error {
		reply, err := s.conn.client.Do(ctx, "SENTINEL", "MASTER", name).Result()
		if err != nil {
			return err
		}
		fields, err = fieldMap(reply)
		return err
	})
	if err != nil {
		return MonitoredMaster{}, err
	}
	return parseMaster(fields), nil
}

// Sentinels lists the other sentinels that this one knows for the master, ghosts of
// replaced ones included. ErrNoSuchMaster.
func (s *Sentinel) Sentinels(ctx context.Context, name string) ([]Peer, error) {
	maps, err := s.list(ctx, "SENTINEL SENTINELS", "SENTINEL", "SENTINELS", name)
	return parseAll(maps, parsePeer), err
}

// Replicas lists the replicas that the sentinel knows for the master. ErrNoSuchMaster.
func (s *Sentinel) Replicas(ctx context.Context, name string) ([]MonitoredReplica, error) {
	maps, err := s.list(ctx, "SENTINEL REPLICAS", "SENTINEL", "REPLICAS", name)
	return parseAll(maps, parseMonitoredReplica), err
}

// MasterAddr is where the sentinel sends clients that ask for the master: during a
// failover that is already the new master while Master still shows the old one.
// ErrNoSuchMaster.
func (s *Sentinel) MasterAddr(ctx context.Context, name string) (host string, port int, err error) {
	const op = "SENTINEL GET-MASTER-ADDR-BY-NAME"
	err = s.conn.run(ctx, operation{name: op}, func(ctx context.Context) error {
		reply, err := s.conn.client.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", name).StringSlice()
		if err != nil {
			return err
		}
		if len(reply) != 2 {
			return fmt.Errorf("%d elements in the reply, want host and port", len(reply))
		}
		host = reply[0]
		port, err = strconv.Atoi(reply[1])
		return err
	})
	// An unknown name is an empty answer here and no error.
	if e := (*Error)(nil); errors.As(err, &e) && e.Text == redis.Nil.Error() {
		e.Kind, e.Text = ErrNoSuchMaster, fmt.Sprintf("master %q is not monitored", name)
	}
	return host, port, err
}

// Monitor makes the sentinel monitor the master at host:port under the name, with its
// defaults; Set follows. ErrDuplicateMaster, ErrUnresolvable.
func (s *Sentinel) Monitor(ctx context.Context, name, host string, port, quorum int) error {
	return s.conn.do(ctx, operation{name: "SENTINEL MONITOR"},
		"SENTINEL", "MONITOR", name, host, strconv.Itoa(port), strconv.Itoa(quorum))
}

// Remove makes the sentinel forget the master and everything around it. ErrNoSuchMaster.
func (s *Sentinel) Remove(ctx context.Context, name string) error {
	return s.conn.do(ctx, operation{name: "SENTINEL REMOVE"}, "SENTINEL", "REMOVE", name)
}

// Settings are how a master is monitored. The zero value of a field leaves it as it is.
type Settings struct {
	// Quorum is how many sentinels must find the master down before it is +odown.
	Quorum int
	// DownAfter is the silence after which this sentinel finds an instance down (+sdown).
	DownAfter time.Duration
	// FailoverTimeout bounds the steps of a failover; after a failed one the next begins
	// no sooner than twice this.
	FailoverTimeout time.Duration
	// ParallelSyncs is how many replicas may follow the new master at the same time.
	ParallelSyncs int
	// AuthPass is the password of the data nodes. A sentinel never tells the one it has.
	AuthPass Secret
}

func (s Settings) args() []any {
	var args []any
	add := func(option, value string) { args = append(args, option, value) }
	if s.Quorum != 0 {
		add("quorum", strconv.Itoa(s.Quorum))
	}
	if s.DownAfter != 0 {
		add("down-after-milliseconds", strconv.FormatInt(s.DownAfter.Milliseconds(), 10))
	}
	if s.FailoverTimeout != 0 {
		add("failover-timeout", strconv.FormatInt(s.FailoverTimeout.Milliseconds(), 10))
	}
	if s.ParallelSyncs != 0 {
		add("parallel-syncs", strconv.Itoa(s.ParallelSyncs))
	}
	if s.AuthPass != "" {
		add("auth-pass", string(s.AuthPass))
	}
	return args
}

// Set changes how a master is monitored, with one command for all settings that are not
// zero and none when all are. ErrNoSuchMaster.
func (s *Sentinel) Set(ctx context.Context, name string, settings Settings) error {
	options := settings.args()
	if len(options) == 0 {
		return nil
	}
	op := operation{name: "SENTINEL SET", secret: string(settings.AuthPass)}
	return s.conn.do(ctx, op, append([]any{"SENTINEL", "SET", name}, options...)...)
}

// CheckQuorum asks whether enough sentinels are reachable to authorize a failover.
// ErrNoQuorum, also for the first seconds after Monitor; ErrNoSuchMaster.
func (s *Sentinel) CheckQuorum(ctx context.Context, name string) error {
	return s.conn.do(ctx, operation{name: "SENTINEL CKQUORUM"}, "SENTINEL", "CKQUORUM", name)
}

// Failover starts a failover without asking the other sentinels, and returns before it
// is done. ErrFailoverInProgress, ErrNoGoodReplica, ErrNoSuchMaster.
func (s *Sentinel) Failover(ctx context.Context, name string) error {
	return s.conn.do(ctx, operation{name: "SENTINEL FAILOVER"}, "SENTINEL", "FAILOVER", name)
}

// list sends a command that answers with a list of field-value lists.
func (s *Sentinel) list(ctx context.Context, op string, args ...any) ([]map[string]string, error) {
	var maps []map[string]string
	err := s.conn.run(ctx, operation{name: op}, func(ctx context.Context) error {
		items, err := s.conn.client.Do(ctx, args...).Slice()
		if err != nil {
			return err
		}
		for _, item := range items {
			fields, err := fieldMap(item)
			if err != nil {
				return err
			}
			maps = append(maps, fields)
		}
		return nil
	})
	return maps, err
}

// parseCPU adds up what INFO cpu says of the process itself.
func parseCPU(text string) (time.Duration, error) {
	var used time.Duration
	found := 0
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if key != "used_cpu_sys" && key != "used_cpu_user" {
			continue
		}
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("field %s: %w", key, err)
		}
		used += time.Duration(seconds * float64(time.Second))
		found++
	}
	if found != 2 {
		return 0, fmt.Errorf("%d of used_cpu_sys and used_cpu_user in the reply", found)
	}
	return used, nil
}
