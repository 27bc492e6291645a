package kvctl

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// DefaultTimeout bounds one request when Options names no timeout. A promotion takes less than a second; a
// kvrocks-controller whose etcd is away answers never.
const DefaultTimeout = 5 * time.Second

// dialTimeout bounds the connection to one replica. The leader may be a pod that is gone, at whose address nothing answers.
const dialTimeout = time.Second

// mostHops is how many redirects are followed to find the leader: one, and another when it changes meanwhile.
const mostHops = 2

// largest answer that is read. The record of 1000 nodes takes 200 KB.
const largest = 16 << 20

// Options are how to reach kvrocks-controller and what the cluster is called there.
type Options struct {
	// URL without the /api/v1 prefix. Any replica, or a Service in front of them.
	URL string
	// Namespace and Cluster name the record.
	Namespace, Cluster string
	// Password of the nodes; empty for none. It is put into the record, and records with another one are told.
	Password string
	// Timeout bounds one request. Default DefaultTimeout.
	Timeout time.Duration
	// OnRequest, when set, is called after each request with what was asked, how long it took and its outcome. It is for
	// metrics and must not block.
	OnRequest func(op string, took time.Duration, err error)
}

// Client is the client for one cluster. It is safe for concurrent use.
type Client struct {
	options Options
	http    *http.Client

	mu     sync.Mutex
	leader string // URL of the last leader; empty when unknown
}

// New makes a client. It does not connect yet.
func New(o Options) *Client {
	o.URL = strings.TrimRight(o.URL, "/")
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	if o.OnRequest == nil {
		o.OnRequest = func(string, time.Duration, error) {}
	}
	return &Client{options: o, http: &http.Client{
		// Without the proxy of the environment, and with one connection for each replica.
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close ends the connections that are idle.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// request is one call of the API.
type request struct {
	op     string
	method string
	path   string // below /api/v1/namespaces
	body   any    // encoded as JSON; nil for none
	into   any    // decoded from "data"; nil when of no interest
}

func (c *Client) clusterPath(parts ...string) string {
	all := []string{"", c.options.Namespace, "clusters", c.options.Cluster}
	for _, part := range parts {
		all = append(all, url.PathEscape(part))
	}
	return strings.Join(all, "/") // names of Kubernetes need no escape
}

// read carries out a GET, on the leader.
func (c *Client) read(ctx context.Context, r request) error {
	r.method = http.MethodGet
	base := c.lastLeader()
	for hop := 0; ; hop++ {
		next, err := c.send(ctx, cmp.Or(base, c.options.URL), r)
		switch {
		case err != nil && base != "" && hop == 0 && errors.Is(err, ErrUnavailable) && ctx.Err() == nil:
			// The leader is gone; another replica may know the new one.
			c.setLeader("")
			base = ""
		case err != nil && base != "" && unreachable(err):
			return &Error{Op: r.op, Kind: ErrUnavailable, Text: "it sends to " + base + ", where nobody answers", cause: ErrLeaderGone}
		case err != nil:
			return err
		case next == "":
			c.setLeader(cmp.Or(base, c.options.URL))
			return nil
		case hop >= mostHops:
			return &Error{Op: r.op, Kind: ErrUnavailable, Text: "the replicas send to one another"}
		default:
			base = next
		}
	}
}

// unreachable: there was no connection, or none that lasted until the answer.
func unreachable(err error) bool {
	var failed *url.Error
	return errors.As(err, &failed)
}

// change carries out a POST or DELETE on the leader that the last read found.
func (c *Client) change(ctx context.Context, r request) error {
	base := c.lastLeader()
	if base == "" {
		return &Error{Op: r.op, Kind: ErrUnavailable, Text: "nobody is known to lead"}
	}
	next, err := c.send(ctx, base, r)
	if err == nil && next != "" {
		err = &Error{Op: r.op, Kind: ErrUnavailable, Text: "the leader has changed"}
	}
	if err != nil && errors.Is(err, ErrUnavailable) {
		c.setLeader("")
	}
	return err
}

func (c *Client) lastLeader() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leader
}

func (c *Client) setLeader(base string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leader = base
}

// send makes one request of one replica. redirect is the URL of another one when it sends there.
func (c *Client) send(ctx context.Context, base string, r request) (redirect string, err error) {
	start := time.Now()
	defer func() { c.options.OnRequest(r.op, time.Since(start), err) }()
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	req, err := newRequest(ctx, base, r)
	if err != nil {
		return "", &Error{Op: r.op, Kind: ErrRefused, Text: err.Error(), cause: err}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return "", &Error{Op: r.op, Kind: ErrUnavailable, Text: c.mask(err.Error()), cause: err}
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusTemporaryRedirect {
		if redirect = leaderIn(resp); redirect == "" {
			return "", &Error{Op: r.op, Kind: ErrUnavailable, Text: "a redirect to nowhere"}
		}
		return redirect, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, largest))
	if err != nil {
		return "", &Error{Op: r.op, Kind: ErrUnavailable, Text: err.Error(), cause: err}
	}
	return "", c.answer(r, resp.StatusCode, body)
}

func newRequest(ctx context.Context, base string, r request) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, base+"/api/v1/namespaces"+r.path, body)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// leaderIn is the base URL of the replica that a redirect names.
func leaderIn(resp *http.Response) string {
	location, err := resp.Location()
	if err != nil || location.Host == "" || location.Scheme != "http" && location.Scheme != "https" {
		return ""
	}
	return location.Scheme + "://" + location.Host
}

// answer reads a reply: {"data":...} or {"error":{"message":...}}, or {"error":"..."} when there is no leader.
func (c *Client) answer(r request, status int, body []byte) error {
	if status == http.StatusNoContent {
		return nil
	}
	var reply struct {
		Data  json.RawMessage `json:"data"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return &Error{Op: r.op, Kind: ErrUnavailable, Text: fmt.Sprintf("status %d without an answer", status), cause: err}
	}
	if text, failed := errorText(reply.Error); failed || status >= http.StatusBadRequest {
		return &Error{Op: r.op, Kind: refusal(status, text), Text: cmp.Or(c.mask(text), fmt.Sprintf("status %d", status))}
	}
	if status != http.StatusOK && status != http.StatusCreated {
		return &Error{Op: r.op, Kind: ErrUnavailable, Text: fmt.Sprintf("status %d", status)}
	}
	if r.into == nil {
		return nil
	}
	if err := json.Unmarshal(reply.Data, r.into); err != nil {
		return &Error{Op: r.op, Kind: ErrUnavailable, Text: "the answer makes no sense", cause: err}
	}
	return nil
}

func errorText(raw json.RawMessage) (text string, failed bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", false
	}
	var object struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &object) == nil {
		return object.Message, true
	}
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	return string(raw), true
}

// mask hides the password in a text: kvrocks-controller quotes what nodes answer.
func (c *Client) mask(text string) string {
	if c.options.Password == "" {
		return text
	}
	return strings.ReplaceAll(text, c.options.Password, "***")
}
