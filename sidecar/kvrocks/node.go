package kvrocks

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Node is the administrative connection to one data node.
type Node struct {
	conn        *conn
	roleTimeout time.Duration
}

// NewNode returns the node at addr, host:port. It does not dial yet.
func NewNode(addr string, o Options) *Node {
	return &Node{conn: newConn(addr, o), roleTimeout: o.roleTimeout()}
}

// Addr is the address that the node was made with.
func (n *Node) Addr() string { return n.conn.addr }

// Close ends the connection; the node cannot be used again.
func (n *Node) Close() error { return n.conn.close() }

// Observe asks the node what it is, with one INFO. A node that is loading is a result
// (NodeInfo.Loading) and not an error.
//
// INFO is sent without a section because kvrocks takes at most one, and what is needed
// stands in three: server, persistence (loading) and replication.
func (n *Node) Observe(ctx context.Context) (NodeInfo, error) {
	var info NodeInfo
	err := n.conn.run(ctx, operation{name: "INFO"}, func(ctx context.Context) error {
		text, err := n.conn.client.Info(ctx).Result()
		if err != nil {
			return err
		}
		info, err = ParseInfo(text)
		return err
	})
	return info, err
}

// Ping sends PING. An answer other than PONG is an error, ErrLoading among them.
func (n *Node) Ping(ctx context.Context) error { return n.conn.ping(ctx) }

// ReplicaOf makes the node a replica of host:port, with one SLAVEOF. Naming the master
// that it already has changes nothing. Refusals: ErrOwnReplicas, ErrSelf,
// ErrUnresolvable. The role is forgotten at a restart unless ConfigRewrite follows.
//
// kvrocks may take up to ten seconds and answers no other client meanwhile, so this and
// Promote have a timeout of their own, and other commands can see ErrTimeout until then.
func (n *Node) ReplicaOf(ctx context.Context, host string, port int) error {
	return n.conn.do(ctx, n.roleChange("SLAVEOF"), "SLAVEOF", host, strconv.Itoa(port))
}

// Promote makes the node a master, with one SLAVEOF NO ONE. On a master it changes
// nothing; on a replica it also raises the sequence by one (kvrocks stores a new
// replication id).
func (n *Node) Promote(ctx context.Context) error {
	return n.conn.do(ctx, n.roleChange("SLAVEOF NO ONE"), "SLAVEOF", "NO", "ONE")
}

func (n *Node) roleChange(name string) operation {
	return operation{name: name, timeout: n.roleTimeout}
}

// ConfigSet changes one setting of the running process. ErrNotAllowed when the setting
// is unknown or fixed at start. A password (requirepass, masterauth) shows in no error.
func (n *Node) ConfigSet(ctx context.Context, name, value string) error {
	op := operation{name: "CONFIG SET " + name}
	if name == "requirepass" || name == "masterauth" {
		op.secret = value
	}
	return n.conn.do(ctx, op, "CONFIG", "SET", name, value)
}

// ConfigGet returns settings by name, with one command: one setting, or all of them for
// "*" (kvrocks knows no other pattern). A name that the server does not know is absent
// from the result. requirepass and masterauth come back in clear text.
func (n *Node) ConfigGet(ctx context.Context, name string) (map[string]string, error) {
	var values map[string]string
	err := n.conn.run(ctx, operation{name: "CONFIG GET " + name}, func(ctx context.Context) (err error) {
		values, err = n.conn.client.ConfigGet(ctx, name).Result()
		return err
	})
	return values, err
}

// ConfigRewrite writes the running settings, the role among them, to the config file.
// It fails when the process has no config file or its directory is not writable.
func (n *Node) ConfigRewrite(ctx context.Context) error {
	return n.conn.do(ctx, operation{name: "CONFIG REWRITE"}, "CONFIG", "REWRITE")
}

// WriteMarker proves that the node takes writes and raises its sequence, leaving nothing
// behind: one SET of a key that expires after a millisecond. A key that exists already
// is not touched. ErrReadOnly on a replica.
//
// It is for an empty shard, whose sequence 0 would forbid every failover.
func (n *Node) WriteMarker(ctx context.Context, key string) error {
	return n.conn.run(ctx, operation{name: "SET"}, func(ctx context.Context) error {
		err := n.conn.client.Do(ctx, "SET", key, "1", "NX", "PX", "1").Err()
		if errors.Is(err, redis.Nil) { // the key exists, so the node has been written to
			return nil
		}
		return err
	})
}

// DropReplicas closes the connections by which the node feeds its replicas, and returns how many it closed. A replica that is
// there connects again, within a second or so.
//
// While one of the replicas lacks writes it closes none: ErrFeedBlocked. A peer that vanished without a word takes nothing, and the thread
// that feeds it hangs in a write until TCP gives up, after a quarter of an hour. kvrocks (Server::CleanupExitedSlaves in 2.10.1)
// waits for the thread of a closed connection with a lock that INFO, CLIENT LIST and SLAVEOF need: it would answer nothing until then.
func (n *Node) DropReplicas(ctx context.Context) (int, error) {
	info, err := n.Observe(ctx)
	if err != nil {
		return 0, err
	}
	for _, r := range info.Replicas {
		if r.Sequence < info.Sequence {
			return 0, &Error{Op: "CLIENT KILL", Addr: n.conn.addr, Kind: ErrFeedBlocked}
		}
	}
	dropped := 0
	err = n.conn.run(ctx, operation{name: "CLIENT KILL"}, func(ctx context.Context) (err error) {
		dropped, err = n.conn.client.Do(ctx, "CLIENT", "KILL", "TYPE", "slave", "SKIPME", "yes").Int()
		return err
	})
	return dropped, err
}

// DropSentinel closes the connections of the sentinel with the id (Sentinel.MyID) to the node, which are named after the
// first eight characters of it, and returns how many it closed. The sentinel connects again within a second.
func (n *Node) DropSentinel(ctx context.Context, id string) (int, error) {
	const nameLength = 8
	name := sentinelName + id[:min(nameLength, len(id))] + "-"
	return n.drop(ctx, func(c, _ clientInfo) bool { return strings.HasPrefix(c["name"], name) })
}

// DropClients closes the connections of clients to the node and returns how many it closed, so that they connect again and are led
// to where their Service leads now. Replicas, sentinels, what runs in the pod, and the caller's address keep theirs.
func (n *Node) DropClients(ctx context.Context) (int, error) {
	return n.drop(ctx, func(c, self clientInfo) bool {
		host := c.host()
		return !strings.ContainsAny(c["flags"], "SM") && !strings.HasPrefix(c["name"], sentinelName) &&
			host != self.host() && host != "127.0.0.1" && host != "::1"
	})
}

// sentinelName begins the names that sentinels give to their connections.
const sentinelName = "sentinel-"

// clientInfo is a line of CLIENT LIST.
type clientInfo map[string]string

func (c clientInfo) host() string {
	host, _, _ := net.SplitHostPort(c["addr"])
	return host
}

// drop closes those connections that match: one CLIENT LIST and a CLIENT KILL for each. self is the connection that asks.
func (n *Node) drop(ctx context.Context, match func(c, self clientInfo) bool) (dropped int, err error) {
	err = n.conn.run(ctx, operation{name: "CLIENT LIST"}, func(ctx context.Context) error {
		pipe := n.conn.client.Pipeline() // both by the same connection
		id, list := pipe.ClientID(ctx), pipe.ClientList(ctx)
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		self, clients := clientInfo{}, []clientInfo(nil)
		for line := range strings.Lines(list.Val()) {
			c := clientInfo{}
			for field := range strings.FieldsSeq(line) {
				key, value, _ := strings.Cut(field, "=")
				c[key] = value
			}
			if c["id"] == strconv.FormatInt(id.Val(), 10) {
				self = c
			}
			clients = append(clients, c)
		}
		kills := n.conn.client.Pipeline()
		for _, c := range clients {
			if match(c, self) {
				kills.Do(ctx, "CLIENT", "KILL", "ID", c["id"])
			}
		}
		if kills.Len() == 0 {
			return nil
		}
		results, err := kills.Exec(ctx)
		if err != nil {
			return err
		}
		for _, r := range results {
			killed, err := r.(*redis.Cmd).Int()
			if err != nil {
				return err
			}
			dropped += killed
		}
		return nil
	})
	return dropped, err
}
