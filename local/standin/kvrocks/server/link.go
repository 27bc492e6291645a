package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/redcon"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

// linkState says how far a replica has come with its master.
type linkState int32

const (
	linkConnecting linkState = iota
	linkHandshake
	linkFetching
	linkConnected
	linkError
)

// How long the real program waits, without listening to anyone, before it tries again.
const (
	connectTimeout = 3100 * time.Millisecond
	retryLost      = time.Second      // after a connection that failed or ended
	retryRefused   = 10 * time.Second // after an answer that refuses: wrong password, loading, wrong database
)

// errRefused marks an answer of the master after which the link waits the longer time.
var errRefused = errors.New("refused by the master")

// link replicates from one master until it is stopped.
type link struct {
	server *Server
	host   string
	port   int
	lastIO atomic.Int64 // Unix seconds of the last bytes from the master, 0 before the first
	status atomic.Int32
	done   chan struct{}

	mu      sync.Mutex
	stopped bool
	conn    net.Conn
}

func newLink(s *Server, host string, port int) *link {
	return &link{server: s, host: host, port: port, done: make(chan struct{})}
}

func (l *link) addr() string          { return net.JoinHostPort(l.host, itoa(l.port)) }
func (l *link) state() linkState      { return linkState(l.status.Load()) }
func (l *link) enter(st linkState)    { l.status.Store(int32(st)) }
func (l *link) log() *slog.Logger     { return l.server.log.With("master", l.addr()) }
func (l *link) masterauth() string    { return l.server.cfg.Text("masterauth") }
func (l *link) sleep(d time.Duration) { time.Sleep(d) } // not cut short by stop, as in the real program

func (l *link) isStopped() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopped
}

// stop ends the link and waits until it has, which takes as long as its current sleep.
func (l *link) stop() {
	l.mu.Lock()
	l.stopped = true
	if l.conn != nil {
		_ = l.conn.Close()
	}
	l.mu.Unlock()
	<-l.done
}

func (l *link) run() {
	defer close(l.done)
	for !l.isStopped() {
		err := l.session()
		if l.isStopped() {
			return
		}
		l.enter(linkConnecting)
		l.log().Error("replication interrupted", "err", err)
		if errors.Is(err, errRefused) {
			l.sleep(retryRefused)
		} else {
			l.sleep(retryLost)
		}
	}
}

// session follows the master over one connection, with a full sync first where that is needed.
func (l *link) session() error {
	in, conn, err := l.connect()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := l.greet(in, conn); err != nil {
		return err
	}
	l.server.useData()
	answer, err := l.ask(in, conn, l.psync()...)
	if err != nil {
		return err
	}
	if answer == "+OK" {
		l.log().Info("PSync is ok, start increment batch loop")
		l.enter(linkConnected)
		return l.batches(in)
	}
	if strings.HasPrefix(answer, "-LOADING") {
		return fmt.Errorf("%w: %s", errRefused, answer)
	}
	l.log().Info("Failed to psync, switch to fullsync", "answer", answer)
	_ = conn.Close() // the data comes over another one
	if err := l.fullSync(); err != nil {
		return err
	}
	return l.session()
}

// connect dials until it works or the link is stopped, at most once a second.
func (l *link) connect() (*bufio.Reader, net.Conn, error) {
	var last time.Time
	for !l.isStopped() {
		if time.Since(last) < retryLost {
			l.sleep(retryLost)
		}
		last = time.Now()
		conn, err := net.DialTimeout("tcp", l.addr(), connectTimeout)
		if err != nil {
			l.log().Error("Failed to connect the master", "err", err)
			continue
		}
		l.mu.Lock()
		if l.stopped {
			_ = conn.Close()
		}
		l.conn = conn
		l.mu.Unlock()
		in := bufio.NewReader(conn)
		if l.masterauth() == "" {
			return in, conn, nil
		}
		l.enter(linkHandshake)
		answer, err := l.ask(in, conn, "AUTH", l.masterauth())
		if err == nil && answer != "+OK" {
			err = fmt.Errorf("%w: auth: %s", errRefused, answer)
		}
		if err != nil {
			_ = conn.Close()
			return nil, nil, err
		}
		return in, conn, nil
	}
	return nil, nil, net.ErrClosed
}

// greet checks that both sides serve the same database and tells the master this node's address.
func (l *link) greet(in *bufio.Reader, conn net.Conn) error {
	cfg := l.server.cfg
	l.enter(linkHandshake)
	name, err := l.ask(in, conn, "_db_name")
	if err != nil {
		return err
	}
	if name != cfg.Text("db-name") {
		return fmt.Errorf("%w: database name: %s", errRefused, name)
	}
	port := cfg.Text("replica-announce-port")
	if port == "0" {
		port = cfg.Text("port")
	}
	words := []string{"replconf", "listening-port", port}
	if ip := cfg.Text("replica-announce-ip"); ip != "" {
		words = append(words, "ip-address", ip)
	}
	answer, err := l.ask(in, conn, words...)
	if err == nil && strings.HasPrefix(answer, "-LOADING") {
		return fmt.Errorf("%w: replconf: %s", errRefused, answer)
	}
	return err
}

// psync returns the request to go on after the last record, with the replication id it belongs to if that is known.
func (l *link) psync() []string {
	data := l.server.store
	seq := data.Sequence()
	next := strconv.FormatUint(seq+1, 10)
	id := data.ReplIDAt(seq)
	if id == "" {
		id = data.LastReplID()
	}
	if !l.server.cfg.Flag("use-rsid-psync") || id == "" {
		return []string{"PSYNC", next}
	}
	return []string{"PSYNC", id, next}
}

// ask sends a command and returns the line that answers it.
func (l *link) ask(in *bufio.Reader, conn net.Conn, words ...string) (string, error) {
	out := redcon.AppendArray(nil, len(words))
	for _, w := range words {
		out = redcon.AppendBulkString(out, w)
	}
	if _, err := conn.Write(out); err != nil {
		return "", fmt.Errorf("send %s: %w", words[0], err)
	}
	line, err := in.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("answer to %s: %w", words[0], err)
	}
	l.lastIO.Store(time.Now().Unix())
	return strings.TrimRight(line, "\r\n"), nil
}

// batches applies what the master sends until the connection ends.
func (l *link) batches(in *bufio.Reader) error {
	for {
		payload, err := readBulk(in)
		if err != nil {
			return err
		}
		l.lastIO.Store(time.Now().Unix())
		if string(payload) == "ping" {
			continue
		}
		b, err := store.DecodeBatch(payload)
		if err == nil {
			err = l.server.noSpace()
		}
		if err == nil {
			err = l.server.store.ApplyReplicated(b)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errRefused, err)
		}
		for _, op := range b.Ops {
			switch {
			case op[0] == store.OpPublish:
				l.server.pubsub.publish(op[1], op[2])
			case op[0] == store.OpSet && op[1] == tokenKey && !l.server.cfg.Flag(optionNamespaces):
				return fmt.Errorf("%w: failed to load namespaces: %w", errRefused, errTokensInDB)
			}
		}
	}
}

func readBulk(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	size, err := strconv.Atoi(strings.TrimRight(strings.TrimPrefix(line, "$"), "\r\n"))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errRefused, strings.TrimSpace(line))
	}
	payload := make([]byte, size+2)
	if _, err := io.ReadFull(in, payload); err != nil {
		return nil, err
	}
	return payload[:size], nil
}
